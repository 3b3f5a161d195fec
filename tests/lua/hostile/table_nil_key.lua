-- expect: SCRIPT index is nil
return function()
    local t = {}
    t[nil] = 1
end
