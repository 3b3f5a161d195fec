-- expect: SCRIPT `string.dump` is not available here
return string.dump(function() end)
