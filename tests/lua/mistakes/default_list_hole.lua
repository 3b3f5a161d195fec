-- expect: shop.item.header.tags: its default: want a list, got a table without [1] (default_list_hole.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), tags = t.default(t.list(t.text()), {n = 'a'})},
})
return shop
