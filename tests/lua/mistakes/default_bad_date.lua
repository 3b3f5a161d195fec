-- expect: shop.item.header.day: its default: not a date such as 2026-11-22, got '2026-02-30' (default_bad_date.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), day = t.default(t.date(), '2026-02-30')},
})
return shop
