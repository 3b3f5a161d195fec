-- expect: shop.item.header.n: its default: want a whole number, got string (default_wrong_kind.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), n = t.default(t.integer(), 'four')},
})
return shop
