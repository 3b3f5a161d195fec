-- expect: shop: object wants a name and a table, got string and nil (declaration_without_table.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item')
return shop
