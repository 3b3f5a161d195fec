-- expect: shop.item.header.n: is either optional or has a default (optional_with_default.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), n = t.optional(t.default(t.integer(), 1))},
})
return shop
