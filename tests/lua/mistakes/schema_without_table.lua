-- expect: schema_without_table.lua:4: ate.schema wants a name and a table, got string and nil
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop')
return shop
