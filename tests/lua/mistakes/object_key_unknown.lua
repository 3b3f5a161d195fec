-- expect: shop.item.key: there is no field 'nam'; did you mean 'name'? (object_key_unknown.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'nam'},
    header = {name = t.name()},
})
return shop
