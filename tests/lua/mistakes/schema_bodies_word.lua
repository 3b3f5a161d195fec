-- expect: shop.bodies: want 'open' or 'sealed', got 'shut' (schema_bodies_word.lua:4)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1, bodies = 'shut'})
return shop
