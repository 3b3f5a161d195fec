-- expect: shop.item.header.name: max is at most 255 here (name_max_over_limit.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name({max = 300})},
})
return shop
