-- expect: SCRIPT string.format: knows
return function()
    return string.format('%n', 1)
end
