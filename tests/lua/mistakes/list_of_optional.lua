-- expect: shop.item.header.tags: t.optional stands around the type of a field, nowhere else (list_of_optional.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), tags = t.list(t.optional(t.text()))},
})
return shop
