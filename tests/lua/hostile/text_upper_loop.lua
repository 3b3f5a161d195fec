-- expect: LIMIT ran longer than
return function()
    local s = ('x'):rep(65536)
    while true do
        s = s:upper()
    end
end
