-- expect: SCRIPT ate.text.replace: the text would have more
return function()
    local text = require('ate.text')
    return text.replace(('a'):rep(60000), 'a', ('b'):rep(60000))
end
