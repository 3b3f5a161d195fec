-- expect: shop.sell_more.rest: is the path of 'shop.sell' (methods_of_one_path.lua:15), too (methods_of_one_path.lua:22)
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
    rest = 'POST /items/{item}/sell',
    run = function(ctx, args) return ctx:emit('sold', args) end,
})
shop:method('sell_more', {
    doc = 'Sell.',
    mode = 'write',
    args = t.fields('sold'),
    rest = 'POST /items/{pieces}/sell',
    run = function(ctx, args) return ctx:emit('sold', args) end,
})
return shop
