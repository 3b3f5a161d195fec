-- expect: LIMIT ran longer than
return function()
    local a = ('x'):rep(65000) .. 'a'
    local b = ('x'):rep(65000) .. 'b'
    local t = {}
    for i = 1, 4000 do
        t[i] = i % 2 == 0 and a or b
    end
    table.sort(t)
end
