-- expect: shop.item.header.n: t.default wants a type and a value (default_missing.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), n = t.default(t.integer())},
})
return shop
