-- expect: shop.version: want a whole number that grows with the schema; begin with 1 (schema_no_version.lua:4)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.'})
return shop
