-- expect: shop.item.header.n: min is above max (integer_min_above_max.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), n = t.integer({min = 5, max = 4})},
})
return shop
