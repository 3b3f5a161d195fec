-- expect: shop.item.key: is missing: an object is found by fields of its header, such as key = {'name'} (object_no_key.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    header = {name = t.name()},
})
return shop
