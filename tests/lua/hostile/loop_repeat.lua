-- expect: LIMIT ran longer than
return function()
    repeat until false
end
