-- expect: VALUE 1
return function()
    local t, n = {a = 1, b = 2, c = 3}, 0
    for _ in require('ate.lib').each(t) do
        t.a, t.b, t.c = nil, nil, nil
        n = n + 1
    end
    return n
end
