-- expect: shop.clean: has either on, the types it waits for, or due, a view and its column of times (worker_with_two_reasons.lua:21)
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
shop:view('stock', {
    doc = 'What is there.',
    key = {'item'},
    row = {item = t.ref('item'), at = t.time()},
    fold = {sold = function(rows, sold) rows:add(sold.item, {pieces = -sold.pieces}) end},
})
shop:worker('clean', {
    doc = 'Clean up.',
    on = {'sold'},
    due = {'stock', 'at'},
    run = function() end,
})
return shop
