-- expect: SCRIPT power.lua:3: `^` is not available here: use ate.int.pow
return function(x)
    return x ^ 2
end
