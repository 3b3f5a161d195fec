-- expect: SCRIPT argument 2 must be a function
return function()
    table.sort({2, 1}, 'less')
end
