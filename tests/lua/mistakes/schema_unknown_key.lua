-- expect: shop.contxt: no such key; did you mean 'context'? (schema_unknown_key.lua:4)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1, contxt = {}})
return shop
