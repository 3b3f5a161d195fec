-- expect: SCRIPT table.sort: element 1 is a table
return function()
    table.sort({{}, {}})
end
