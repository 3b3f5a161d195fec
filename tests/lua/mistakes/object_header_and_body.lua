-- expect: shop.item.body.size: is a field of the header already (object_header_and_body.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), size = t.integer()},
    body = {size = t.integer()},
})
return shop
