-- expect: shop.item.header.name: want a type, got its constructor: call it, as in t.text() (type_not_called.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name},
})
return shop
