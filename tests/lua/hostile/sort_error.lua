-- expect: SCRIPT sort_error.lua:4: no
return function()
    table.sort({3, 2, 1}, function()
        error('no')
    end)
end
