-- expect: SCRIPT memory_doubling.lua:5: ..: the text would have more
return function()
    local s = 'x'
    while true do
        s = s .. s
    end
end
