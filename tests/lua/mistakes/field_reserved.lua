-- expect: shop.item.header.id: every object and event has an 'id' of its own: take another name (field_reserved.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), id = t.integer()},
})
return shop
