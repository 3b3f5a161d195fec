-- expect: shop.item.header.all: t.fields stands as the whole args of a method (fields_in_header.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), all = t.fields('item')},
})
return shop
