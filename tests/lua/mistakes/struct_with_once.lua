-- expect: shop.item.header.size.width: t.once stands at a field of the type itself (struct_with_once.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), size = t.struct({width = t.once(t.integer())})},
})
return shop
