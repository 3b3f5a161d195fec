-- expect: shop.item.upgrade: want functions by the older version they start from, such as {[1] = function(old) ... end} (object_upgrade_of_now.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name()},
    upgrade = {[1] = function(old) return old end},
})
return shop
