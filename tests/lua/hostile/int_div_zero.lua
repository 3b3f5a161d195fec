-- expect: SCRIPT division by zero
return function()
    return require('ate.int').div(1, 0)
end
