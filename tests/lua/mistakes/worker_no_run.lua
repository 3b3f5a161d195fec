-- expect: shop.clean.run: is missing: want a function (worker_no_run.lua:15)
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
shop:worker('clean', {
    doc = 'Clean up.',
    on = {'sold'},
})
return shop
