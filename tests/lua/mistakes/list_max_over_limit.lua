-- expect: shop.item.header.tags: max is at most 65536 here (list_max_over_limit.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), tags = t.list(t.text(), {max = 100000})},
})
return shop
