-- expect: LIMIT
return function()
    local t = {}
    t.t = t
    local function walk(x)
        return 1 + walk(x.t)
    end
    return walk(t)
end
