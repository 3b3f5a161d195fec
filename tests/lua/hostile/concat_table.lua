-- expect: SCRIPT attempt to concatenate
return function()
    return 'x' .. {}
end
