-- expect: shop.item.header.wallet: there is no type 'coins.wallet' (ref_of_schema_not_loaded.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), wallet = t.ref('coins.wallet')},
})
return shop
