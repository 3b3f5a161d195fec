-- expect: shop.sell.rest: {tags} is no single value, a path has no place for it (method_rest_list_argument.lua:10)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), price = t.default(t.amount({scale = 2}), 0)},
})
shop:method('sell', {
    doc = 'Sell.',
    mode = 'write',
    args = {tags = t.list(t.text())},
    rest = 'POST /items/{tags}',
    run = function() end,
})
return shop
