-- expect: SCRIPT string.rep: the text would have more
return function()
    return ('xxxxxxxx'):rep(9007199254740992)
end
