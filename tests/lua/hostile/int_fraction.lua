-- expect: SCRIPT ate.int.add: argument 2 must be an integer of at most 2^53, got 0.5
return function()
    local int = require('ate.int')
    local x = int.add(1, 0.5)
    return x
end
