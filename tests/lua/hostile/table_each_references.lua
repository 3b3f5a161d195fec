-- expect: SCRIPT a key is a table
return function()
    local t = {}
    t[{}] = 1
    for _ in require('ate.lib').each(t) do
    end
end
