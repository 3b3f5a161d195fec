-- expect: shop.item.header.other: there is no type 'itme'; did you mean 'item'? (ref_misspelt.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), other = t.ref('itme')},
})
return shop
