-- expect: shop: object wants a name and a table, got table and nil (declaration_without_name.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object({doc = 'What is sold.'})
return shop
