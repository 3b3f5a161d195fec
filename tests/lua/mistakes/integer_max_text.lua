-- expect: shop.item.header.n.max: want a whole number up to 2^53, got string (integer_max_text.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), n = t.integer({max = '4'})},
})
return shop
