-- expect: shop.item.key: want a list of names, such as {'name'} (object_key_no_list.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = 'name',
    header = {name = t.name()},
})
return shop
