-- expect: shop.doc: is missing: say in a sentence what this is (schema_no_doc.lua:4)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {version = 1})
return shop
