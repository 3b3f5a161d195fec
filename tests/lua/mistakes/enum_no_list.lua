-- expect: shop.item.header.size: an enum wants its words: t.enum({'low', 'high'}) (enum_no_list.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), size = t.enum('big')},
})
return shop
