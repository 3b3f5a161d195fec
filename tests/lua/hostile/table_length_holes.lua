-- expect: LIMIT
return function()
    local t = {}
    t[1], t[2], t[4] = 1, 1, 1
    while #t >= 0 do
    end
end
