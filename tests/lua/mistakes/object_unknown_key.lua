-- expect: shop.item.heder: no such key; did you mean 'header'? (object_unknown_key.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name()},
    heder = {},
})
return shop
