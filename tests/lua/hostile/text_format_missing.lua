-- expect: SCRIPT argument 2 must be
return function()
    return string.format('%s')
end
