-- expect: LIMIT ran longer than 100000 steps at loop_while.lua:3
return function()
    while true do end
end
