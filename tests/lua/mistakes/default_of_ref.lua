-- expect: shop.item.header.other: refs, identities, blobs and event types have no default (default_of_ref.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), other = t.default(t.ref('item'), 'x')},
})
return shop
