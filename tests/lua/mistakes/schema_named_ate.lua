-- expect: ate: 'ate' is the engine's own: take another name (schema_named_ate.lua:4)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('ate', {doc = 'A shop.', version = 1})
return shop
