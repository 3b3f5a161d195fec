-- expect: shop.item.header.tags: want a type such as t.text(), got nil (list_of_nothing.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), tags = t.list()},
})
return shop
