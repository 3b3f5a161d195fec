-- expect: shop.item.header.n.min: want a whole number up to 2^53, got another (integer_min_half.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), n = t.integer({min = 0.5})},
})
return shop
