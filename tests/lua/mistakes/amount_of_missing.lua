-- expect: shop.item.header.price: of names 'currency', and there is no such field beside it (amount_of_missing.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), price = t.amount({of = 'currency'})},
})
return shop
