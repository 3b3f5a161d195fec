-- expect: SCRIPT calls nest too deep
local function f()
    table.sort({2, 1}, function(a, b)
        f()
        return a < b
    end)
end
return function()
    f()
end
