-- expect: SCRIPT error takes a text, got a table
return function()
    error({code = 1})
end
