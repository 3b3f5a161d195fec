-- expect: LIMIT
return function()
    local t = {1}
    for i in ipairs(t) do
        t[i + 1] = 1
    end
end
