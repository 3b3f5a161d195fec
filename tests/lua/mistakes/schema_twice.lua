-- expect: shop: the schema 'shop' has that name already (schema_twice.lua:4) (schema_twice.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
ate.schema('shop', {doc = 'Another.', version = 1})
return shop
