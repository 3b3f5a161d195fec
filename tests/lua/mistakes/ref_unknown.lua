-- expect: shop.item.header.maker: there is no type 'firm' (ref_unknown.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), maker = t.ref('firm')},
})
return shop
