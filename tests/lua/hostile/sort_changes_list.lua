-- expect: VALUE 3
return function()
    local t = {3, 2, 1}
    table.sort(t, function(a, b)
        t[1], t[2], t[3] = nil, nil, nil
        return a < b
    end)
    return #t
end
