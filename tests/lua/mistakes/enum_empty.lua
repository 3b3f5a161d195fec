-- expect: shop.item.header.size: an enum has at least one word (enum_empty.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), size = t.enum({})},
})
return shop
