-- expect: shop.item.header.name: want a type such as t.text(), got string (type_is_text.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = 'text'},
})
return shop
