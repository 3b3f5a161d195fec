-- expect: shop.item.rights.grant_reading: is a right of the engine's own, as are create, write, delete, delegate, grant_reading, order and act_for: take another name (object_right_reserved.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name()},
    rights = {sell = 'May sell items.', grant_reading = 'May show it.'},
})
return shop
