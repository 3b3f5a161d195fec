-- expect: SCRIPT calls nest too deep at recursion_plain_loading.lua:3
local function f()
    return f() + 1
end
return f()
