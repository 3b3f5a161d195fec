-- expect: shop.clean.due: the view 'shop.stock' reads bodies, so its rows are not the same for everybody (worker_due_reads_bodies.lua:22)
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
    reads = 'bodies',
    key = {'item'},
    row = {item = t.ref('item'), pieces = t.default(t.integer(), 0), till = t.optional(t.time())},
    fold = {sold = function(rows, sold) rows:add(sold.item, {pieces = -sold.pieces}) end},
})
shop:worker('clean', {
    doc = 'Clean up.',
    due = {'stock', 'till'},
    run = function() end,
})
return shop
