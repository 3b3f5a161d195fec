-- expect: SCRIPT beyond 2^53
return function()
    return require('ate.int').pow(2, 9007199254740992)
end
