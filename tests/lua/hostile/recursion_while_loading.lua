-- expect: SCRIPT calls nest too deep at recursion_while_loading.lua:3
local function f(n)
    return 1 + f(n + 1)
end
return f(1)
