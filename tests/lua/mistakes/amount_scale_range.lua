-- expect: shop.item.header.price: scale is 0 to 18 (amount_scale_range.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), price = t.amount({scale = 19})},
})
return shop
