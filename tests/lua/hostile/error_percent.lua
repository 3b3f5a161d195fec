-- expect: SCRIPT %s%n%d
return function()
    error('%s%n%d', 0)
end
