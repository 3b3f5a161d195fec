-- expect: LIMIT
return function()
    local t = {}
    for i = 1, 99999 do
        t[i * 1000003] = i
    end
end
