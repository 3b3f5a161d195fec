-- expect: VALUE -1
return function()
    return require('ate.int').pow(-1, 9007199254740991)
end
