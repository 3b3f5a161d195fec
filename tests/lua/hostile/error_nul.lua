-- expect: SCRIPT a
return function()
    error('a\0b', 0)
end
