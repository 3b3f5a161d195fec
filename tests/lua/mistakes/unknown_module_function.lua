-- expect: unknown_module_function.lua:5: ate.eech: no such function; did you mean 'each'?
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
ate.eech({})
return shop
