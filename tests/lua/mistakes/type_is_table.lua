-- expect: shop.item.header.size: want a type, got a table; fields inside a field are a t.struct({...}) (type_is_table.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), size = {width = t.integer()}},
})
return shop
