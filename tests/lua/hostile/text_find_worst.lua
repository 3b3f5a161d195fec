-- expect: LIMIT ran longer than
return function()
    local s = ('a'):rep(65536)
    local p = ('a'):rep(32768) .. 'b'
    while true do
        s:find(p)
    end
end
