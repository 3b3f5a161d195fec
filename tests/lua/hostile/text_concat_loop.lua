-- expect: LIMIT
return function()
    local s = ('x'):rep(30000)
    for i = 1, 1000000 do
        local t = s .. s
    end
end
