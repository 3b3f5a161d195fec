-- expect: shop.?: a name is made of small letters
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:event('sold\0', {doc = 'd', header = {n = t.integer()}})
return shop
