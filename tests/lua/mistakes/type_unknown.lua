-- expect: shop.item.header.color: there is no t.varchar; it is t.text here (type_unknown.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), color = t.varchar(3)},
})
return shop
