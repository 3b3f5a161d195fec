-- expect: SCRIPT ate.int.mul: the result is beyond 2^53
return function()
    local int = require('ate.int')
    local x = int.mul(3000000000, 3000000000)
    return x
end
