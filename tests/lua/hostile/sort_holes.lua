-- expect: VALUE done
return function()
    local t = {}
    t[1000000] = 1
    table.sort(t)
    return 'done'
end
