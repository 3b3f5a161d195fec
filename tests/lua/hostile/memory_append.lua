-- expect: VALUE 3000
return function()
    local t = {}
    for i = 1, 3000 do
        table.insert(t, i)
    end
    return #t
end
