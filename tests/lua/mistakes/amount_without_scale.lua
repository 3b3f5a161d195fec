-- expect: shop.item.header.price: an amount has either scale, the digits behind the point, or of, a field beside it that refers to what has a scale (amount_without_scale.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), price = t.amount()},
})
return shop
