-- expect: schema_gets_value.lua:5: a schema takes no values of yours
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop.name = 'x'
return shop
