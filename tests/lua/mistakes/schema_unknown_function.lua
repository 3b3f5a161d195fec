-- expect: schema_unknown_function.lua:5: a schema has no function 'objct'; did you mean 'object'?
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:objct('item', {doc = 'What is sold.'})
return shop
