-- expect: SCRIPT attempt to compare
return function()
    return 1 < 'x'
end
