-- expect: shop.version: want a whole number up to 2^53, got another (schema_version_half.lua:4)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1.5})
return shop
