-- expect: LIMIT
return function()
    local t = {}
    for i = 1, 100000 do
        t[i] = {}
    end
end
