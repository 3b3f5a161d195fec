-- expect: shop.item.key: 'name' never changes anyway: leave t.once away (object_key_once.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.once(t.name())},
})
return shop
