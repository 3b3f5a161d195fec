-- expect: shop.item.off: an object has no default method 'patsch'; did you mean 'patch'? (object_off_unknown.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name()},
    off = {'patsch'},
})
return shop
