-- expect: SCRIPT error_level.lua:6: here
return function()
    local function f()
        error("here", 2)
    end
    f()
end
