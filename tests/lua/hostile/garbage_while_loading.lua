-- expect: LIMIT needs more than 33554432 bytes of memory at garbage_while_loading.lua:7
local kept = {}
for _ = 1, 80000 do
    kept = {kept}
end
for _ = 1, 3000000 do
    local garbage = {}
    kept[2] = garbage
end
