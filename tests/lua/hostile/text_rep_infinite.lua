-- expect: SCRIPT must be an integer
return function()
    return ('x'):rep(1 / 0)
end
