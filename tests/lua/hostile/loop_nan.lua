-- expect: VALUE 0
return function()
    local n = 0
    local nan = 0 / 0
    for i = nan, nan do
        n = n + 1
    end
    return n
end
