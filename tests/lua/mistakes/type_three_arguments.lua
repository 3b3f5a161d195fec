-- expect: t.name: takes at most two arguments (type_three_arguments.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name({}, {}, 3)},
})
return shop
