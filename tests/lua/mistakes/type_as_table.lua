-- expect: shop.item.header: want a table of fields, such as {name = t.name()} (type_as_table.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {doc = 'd', key = {'name'}, header = t.name()})
return shop
