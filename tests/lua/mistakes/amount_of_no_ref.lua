-- expect: shop.item.header.price: of names 'name', which is no ref (amount_of_no_ref.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), price = t.amount({of = 'name'})},
})
return shop
