-- expect: shop.item.body: is a table of fields, or one t.text or t.blob (object_body_integer.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name()},
    body = t.integer(),
})
return shop
