-- expect: SCRIPT a width is at most 99
return function()
    return string.format('%999999999d', 1)
end
