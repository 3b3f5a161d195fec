-- expect: LIMIT ran longer than
return function()
    local function forever()
        return 1
    end
    for _ in forever do
    end
end
