-- expect: LIMIT ran longer than
return function()
    local a = ('x'):rep(65535) .. 'a'
    local b = ('x'):rep(65535) .. 'b'
    while a < b do
    end
end
