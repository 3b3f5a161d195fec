-- expect: SCRIPT must be an integer
return function()
    return require('ate.int').add('1', 2)
end
