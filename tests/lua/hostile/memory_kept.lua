-- expect: VALUE 1
return function()
    local t = {}
    for i = 1, 1000 do
        t[i] = ('x'):rep(100) .. i
    end
    return 1
end
