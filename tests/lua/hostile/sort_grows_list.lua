-- expect: LIMIT
return function()
    local t = {3, 2, 1}
    table.sort(t, function(a, b)
        for i = 1, 100000 do
            t[#t + 1] = i
        end
        return a < b
    end)
end
