-- expect: shop.may_sell.per: want 'event' or 'transaction', got 'batch' (rule_per_word.lua:15)
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
shop:rule('may_sell', {
    doc = 'Who may sell.',
    on = {'sold'},
    per = 'batch',
    check = function(_, sold, tx) return sold.pieces < 5 and tx.author ~= nil end,
})
return shop
