-- expect: SCRIPT index_nil.lua:4: attempt to index
return function()
    local t
    return t.x.y
end
