-- expect: shop.item.header.Size: a name is made of small letters, digits and '_', a letter first (field_bad_name.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), Size = t.integer()},
})
return shop
