-- expect: shop.item.key: 'name' is none of name, integer, enum, date, month, ref and identity (object_key_amount.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.amount({scale = 2})},
})
return shop
