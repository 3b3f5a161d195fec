-- expect: SCRIPT must be an integer of at most 2^53
return function()
    return require('ate.int').add(9007199254740994, 1)
end
