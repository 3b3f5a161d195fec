-- expect: shop.item.header.color: there is no t.txt; did you mean 'text'? (type_misspelt.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), color = t.txt({max = 3})},
})
return shop
