-- expect: LIMIT needs more than 33554432 bytes of memory
local t = {}
for i = 1, 999999 do
    t[i] = ('x'):rep(1000) .. i
end
