-- expect: SCRIPT literal_in_function.lua:4: numbers
local function f()
    local x = 1
    return x + 12345678901LL
end
return f
