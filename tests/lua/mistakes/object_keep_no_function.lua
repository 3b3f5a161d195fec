-- expect: shop.item.keep: want a function, got string (object_keep_no_function.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name()},
    keep = 'always',
})
return shop
