-- expect: shop.sell.rest: begins with an argument: the first segment is a word (method_rest_argument_first.lua:15)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), price = t.default(t.amount({scale = 2}), 0)},
})
shop:event('sold', {
    doc = 'An item was sold.',
    header = {item = t.ref('item'), pieces = t.integer({min = 1})},
    body = {note = t.text()},
})
shop:method('sell', {
    doc = 'Sell.',
    mode = 'write',
    args = t.fields('sold'),
    rest = 'POST /{item}',
    run = function(ctx, args) return ctx:emit('sold', args) end,
})
return shop
