-- expect: shop.item.parent: the header has no field 'shelf' (object_parent_unknown.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name()},
    parent = 'shelf',
})
return shop
