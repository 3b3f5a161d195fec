-- expect: SCRIPT string.format: knows
return function()
    return string.format('%*d', 1, 2)
end
