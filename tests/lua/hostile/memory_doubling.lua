-- expect: LIMIT at memory_doubling.lua:5
return function()
    local s = 'x'
    while true do
        s = s .. s
    end
end
