-- expect: shop.sold.header.?: a name is made of small letters
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:event('sold', {doc = 'd', header = {['n\0'] = t.integer()}})
return shop
