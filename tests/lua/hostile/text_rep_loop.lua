-- expect: LIMIT ran longer than
return function()
    for i = 1, 1000000 do
        local s = ('x'):rep(65536)
    end
end
