-- expect: shop.item.header.name.mx: no such key; did you mean 'max'? (type_unknown_option.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name({mx = 40})},
})
return shop
