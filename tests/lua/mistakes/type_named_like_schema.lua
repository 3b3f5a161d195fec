-- expect: shop.item: the schema 'item' has that name already (type_named_like_schema.lua:5) (type_named_like_schema.lua:6)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
ate.schema('item', {doc = 'Another.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), price = t.default(t.amount({scale = 2}), 0)},
})
return shop
