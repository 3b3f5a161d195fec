-- expect: shop.item.header.price: of refers to 'shop.unit', whose header has no integer 'scale' (amount_of_without_scale.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), unit = t.ref('unit'), price = t.amount({of = 'unit'})},
})
shop:object('unit', {
    doc = 'A unit.',
    key = {'name'},
    header = {name = t.name()},
})
return shop
