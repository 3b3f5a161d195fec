-- expect: LIMIT
return function()
    local t = {}
    for i = 1, 99999 do
        t['k' .. i] = i
    end
end
