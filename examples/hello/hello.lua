local ate = require('ate')
local t = ate.types
local hello = ate.schema('hello', {doc = 'Who was greeted.', version = 1})

hello:event('greeting', {
    doc = 'Somebody said hello.',
    header = {to = t.name({max = 40})},
})
hello:view('count', {
    doc = 'How often each name was greeted.',
    key = {'to'},
    row = {to = t.name({max = 40}), times = t.default(t.integer(), 0)},
    fold = {
        greeting = function(rows, greeting)
            rows:add(greeting.to, {times = 1})
        end,
    },
})
return hello
