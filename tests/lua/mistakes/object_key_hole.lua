-- expect: shop.item.key: want a list of names, got a table without [2] (object_key_hole.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name', nil, 'size'},
    header = {name = t.name(), size = t.integer()},
})
return shop
