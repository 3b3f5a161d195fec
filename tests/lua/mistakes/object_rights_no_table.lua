-- expect: shop.item.rights: want a table of names and what they mean (object_rights_no_table.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name()},
    rights = 'all',
})
return shop
