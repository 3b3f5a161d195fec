-- expect: SCRIPT table.concat: the text would have more than 65536 bytes
return function()
    local t = {}
    for i = 1, 3000 do
        t[i] = 'abcdefghij'
    end
    return table.concat(t, ('x'):rep(100))
end
