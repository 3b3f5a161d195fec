-- expect: shop.item.key: names 'name' twice (object_key_twice.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name', 'name'},
    header = {name = t.name()},
})
return shop
