-- expect: shop.sold.off: an event has no default method 'create' (event_off_create.lua:10)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), price = t.default(t.amount({scale = 2}), 0)},
})
shop:event('sold', {
    doc = 'An item was sold.',
    header = {item = t.ref('item')},
    off = {'create'},
})
return shop
