-- expect: shop.item.header.size: its default has a field 'with' that it has not (default_struct_unknown_field.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), size = t.default(t.struct({width = t.integer()}), {with = 3})},
})
return shop
