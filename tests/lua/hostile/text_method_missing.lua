-- expect: SCRIPT `string.dump` is not available here
return function()
    return ('x'):dump()
end
