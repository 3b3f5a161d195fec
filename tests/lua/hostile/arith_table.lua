-- expect: SCRIPT attempt to perform arithmetic
return function()
    local t = {}
    return t + 1
end
