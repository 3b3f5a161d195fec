-- expect: shop.item.header.size: want a table of fields, such as {name = t.name()} (struct_no_table.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), size = t.struct(t.integer())},
})
return shop
