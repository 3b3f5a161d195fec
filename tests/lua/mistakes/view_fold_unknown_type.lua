-- expect: shop.stock.fold.slod: there is no type 'slod'; did you mean 'sold'? (view_fold_unknown_type.lua:15)
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
    row = {item = t.ref('item'), pieces = t.default(t.integer(), 0)},
    fold = {slod = function(rows, sold) rows:add(sold.item, {pieces = -sold.pieces}) end},
})
return shop
