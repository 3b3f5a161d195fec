-- expect: SCRIPT attempt to call
return function()
    local f
    f()
end
