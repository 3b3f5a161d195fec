-- expect: LIMIT ran longer than
return function()
    local a = ('1'):rep(250)
    while true do
        local x = a + 1
    end
end
