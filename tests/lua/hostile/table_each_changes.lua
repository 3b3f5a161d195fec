-- expect: VALUE 3
return function()
    local t, n = {a = 1, b = 2, c = 3}, 0
    for k in require('ate.lib').each(t) do
        t[k .. k] = 1
        n = n + 1
    end
    return n
end
