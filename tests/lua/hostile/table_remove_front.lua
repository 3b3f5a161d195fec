-- expect: LIMIT ran longer than
return function()
    local t = {}
    for i = 1, 4000 do
        t[i] = i
    end
    while true do
        table.insert(t, table.remove(t, 1))
    end
end
