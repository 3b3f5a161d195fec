-- expect: shop.item.erasable: no such key (object_erasable.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name()},
    erasable = true,
})
return shop
