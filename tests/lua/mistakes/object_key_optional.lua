-- expect: shop.item.key: 'name' is always given: it is neither optional nor has it a default (object_key_optional.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.optional(t.name())},
})
return shop
