-- expect: SCRIPT is not within
return function()
    return table.remove({1}, -5)
end
