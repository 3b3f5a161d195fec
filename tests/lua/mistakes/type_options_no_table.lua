-- expect: shop.item.header.name: takes a table of options, got number (type_options_no_table.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(40)},
})
return shop
