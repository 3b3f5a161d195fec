-- expect: SCRIPT tostring: argument 1 must be a text, a number or a boolean, got table
return function()
    return tostring({})
end
