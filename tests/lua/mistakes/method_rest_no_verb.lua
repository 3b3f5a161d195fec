-- expect: shop.sell.rest: want a verb (GET POST PUT PATCH DELETE) and a path, such as 'POST /accounts/{from}/transfers' (method_rest_no_verb.lua:15)
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
    rest = '/items/{item}/sell',
    run = function(ctx, args) return ctx:emit('sold', args) end,
})
return shop
