-- expect: VALUE 1
local seen = {}
return function()
    seen[#seen + 1] = true
    return #seen
end
