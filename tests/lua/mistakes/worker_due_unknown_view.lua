-- expect: shop.clean.due: there is no view 'stok' (worker_due_unknown_view.lua:15)
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
    due = {'stok', 'at'},
    run = function() end,
})
return shop
