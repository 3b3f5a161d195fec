-- expect: dot_instead_of_colon.lua:5: write schema:object(name, {...}), with a colon
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop.object('item', {doc = 'What is sold.'})
return shop
