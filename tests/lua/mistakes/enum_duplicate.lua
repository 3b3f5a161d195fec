-- expect: shop.item.header.size: has the word 'big' twice (enum_duplicate.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), size = t.enum({'big', 'small', 'big'})},
})
return shop
