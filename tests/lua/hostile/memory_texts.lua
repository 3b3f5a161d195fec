-- expect: LIMIT needs more than 1048576 bytes of memory at
local long = ('text '):rep(100)
return function()
    local t = {}
    for i = 1, 99999 do
        t[i % 2] = long .. i
    end
end
