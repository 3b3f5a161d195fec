-- expect: shop.version: is at least 1 (schema_version_zero.lua:4)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 0})
return shop
