-- expect: LIMIT needs more than 1048576 bytes of memory at memory_tables.lua:5
return function()
    local t
    for i = 1, 100000 do
        t = {t, i}
    end
end
