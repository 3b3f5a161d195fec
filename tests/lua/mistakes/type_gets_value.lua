-- expect: type_gets_value.lua:6: a type takes no values of yours
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
local name = t.name()
name.kind = nil
shop:object('item', {doc = 'What is sold.', key = {'name'}, header = {name = name}})
return shop
