-- expect: shop.item.header.rows: a page is what a method returns, nothing else (page_in_header.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), rows = t.page('stock')},
})
return shop
