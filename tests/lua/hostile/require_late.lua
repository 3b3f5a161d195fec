-- expect: SCRIPT works only while the bundle is loaded
return function()
    local m = require('later')
    return m
end
