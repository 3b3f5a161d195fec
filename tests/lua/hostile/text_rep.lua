-- expect: SCRIPT string.rep: the text would have more than 65536 bytes
return function()
    return ('x'):rep(65537)
end
