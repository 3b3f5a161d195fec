-- expect: LIMIT
return function()
    local function f(...)
        local t = {...}
        return f(t, ...)
    end
    return f()
end
