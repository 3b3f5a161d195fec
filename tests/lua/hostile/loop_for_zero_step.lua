-- expect: LIMIT ran longer than
return function()
    for i = 1, 2, 0 do end
end
