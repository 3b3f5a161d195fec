-- expect: shop.sell.file: {item} is optional, a path always has it (method_optional_in_path.lua:10)
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
    args = {item = t.optional(t.ref('item'))},
    file = 'items/{item}',
    run = function() end,
})
return shop
