-- expect: SCRIPT is not a number
return function()
    table.sort({1, 0 / 0, 2})
end
