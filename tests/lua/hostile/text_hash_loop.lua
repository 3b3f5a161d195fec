-- expect: LIMIT ran longer than
return function()
    local hash = require('ate.hash')
    local s = ('x'):rep(65536)
    while true do
        hash.sha256(s)
    end
end
