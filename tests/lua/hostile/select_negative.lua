-- expect: SCRIPT bad argument
return function()
    return select(-5, 1)
end
