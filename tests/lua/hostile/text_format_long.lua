-- expect: SCRIPT string.format: the text would have more
return function()
    local s = ('x'):rep(65536)
    return string.format('%s%s', s, s)
end
