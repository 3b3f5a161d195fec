-- expect: SCRIPT a base is between 2 and 36
return function()
    return tonumber('1', 1)
end
