-- expect: LIMIT ran longer than
return function()
    local t = {}
    for i = 1, 2000 do
        t[i] = -i
    end
    while true do
        table.sort(t)
        t[1] = 5
    end
end
