-- expect: SCRIPT `coroutine.wrap` is not available here
return coroutine.wrap(function() end)()
