-- expect: SCRIPT string.byte: at most 200 values
return function()
    return ('x'):rep(60000):byte(1, 60000)
end
