-- expect: SCRIPT all are numbers or all are texts
return function()
    table.sort({1, 'a', 2})
end
