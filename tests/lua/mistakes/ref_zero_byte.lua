-- expect: shop.sold.header.of: there is no type '?'
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:event('sold', {doc = 'd', header = {of = t.optional(t.ref('sold\0'))}})
return shop
