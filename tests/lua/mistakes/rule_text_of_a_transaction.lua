-- expect: shop.may_sell.text: {pieces} needs its type in says: a rule about whole transactions has no event at hand (rule_text_of_a_transaction.lua:15)
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
    on = {'sold'}, per = 'transaction',
    text = '{pieces} are too many',
    check = function(_, tx) return tx.author ~= nil or ate.deny({pieces = 1}) end,
})
return shop
