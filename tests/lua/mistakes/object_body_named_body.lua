-- expect: shop.item.body: is called 'body' where it is read and written, and the header has a field of that name (object_body_named_body.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), body = t.text()},
    body = t.text(),
})
return shop
