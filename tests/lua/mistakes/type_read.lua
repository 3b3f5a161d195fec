-- expect: type_read.lua:4: a type has no 'kind'
local ate = require('ate')
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
local kind = ate.types.name().kind
return kind and shop
