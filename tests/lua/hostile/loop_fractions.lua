-- expect: LIMIT ran longer than
return function()
    local x = 1
    while x > 0 do
        x = x / 2 + 1
    end
end
