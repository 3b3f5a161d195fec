-- expect: shop.sold.header.n: t.optional, t.default and t.once: at most 4 around each other
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
local n = t.integer()
for _ = 1, 5000 do
    n = t.optional(n)
end
shop:event('sold', {doc = 'd', header = {n = n}})
return shop
