-- expect: Shop: a name is made of small letters, digits and '_', a letter first (schema_bad_name.lua:4)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('Shop', {doc = 'A shop.', version = 1})
return shop
