-- expect: shop.item.key: 'name' is in the body: move it to the header (object_key_in_body.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {size = t.integer()},
    body = {name = t.name()},
})
return shop
