-- expect: shop.item.doc: is missing: say in a sentence what this is (object_no_doc.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    key = {'name'},
    header = {name = t.name(), price = t.default(t.amount({scale = 2}), 0)},
})
return shop
