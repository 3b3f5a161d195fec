-- expect: SCRIPT the list has 2 elements
return function()
    return table.concat({1, 2}, ',', 1, 1000000000)
end
