-- expect: shop.item.header.n: its default: 4 is below 5 (default_does_not_fit.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), n = t.default(t.integer({min = 5}), 4)},
})
return shop
