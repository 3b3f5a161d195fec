-- expect: SCRIPT attempt to index
return function()
    local s = 'x'
    s.len = 1
end
