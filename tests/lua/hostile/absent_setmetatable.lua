-- expect: SCRIPT `setmetatable` is not available here
return setmetatable({}, {__gc = function() end})
