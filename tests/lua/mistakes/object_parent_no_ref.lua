-- expect: shop.item.parent: 'name' is no ref (object_parent_no_ref.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name()},
    parent = 'name',
})
return shop
