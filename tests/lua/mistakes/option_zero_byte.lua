-- expect: shop.sold.?: no such key
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:event('sold', {['doc\0'] = 'd', doc = 'd', header = {n = t.integer()}})
return shop
