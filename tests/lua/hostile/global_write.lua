-- expect: SCRIPT global_write.lua:3: `total` is not declared
local function f()
    total = 1
end
return f
