-- expect: shop.stock.key: and order may take 1046 bytes together, 1024 are allowed: give the texts a smaller max (view_key_too_long.lua:15)
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
    key = {'a', 'b', 'c', 'd'},
    row = {a = t.name(), b = t.name(), c = t.name(), d = t.name()},
    fold = {sold = function(rows, sold) rows:add(sold.item, {pieces = -sold.pieces}) end},
})
return shop
