-- expect: LIMIT needs more than 1048576 bytes of memory at
return function()
    local t = {}
    for i = 1, 99999 do
        t[i % 50] = 'text ' .. i
    end
end
