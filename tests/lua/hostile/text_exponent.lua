-- expect: LIMIT ran longer than
return function()
    local a = '1e' .. -300
    while true do
        local x = a + a
    end
end
