-- expect: LIMIT
return function()
    local ate = require('ate.lib')
    local t = {1}
    while true do
        for _ in ate.each(t) do
        end
    end
end
