-- expect: shop.item.header.other: want a name, such as t.ref('account'), got nil (ref_no_name.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), other = t.ref()},
})
return shop
