-- expect: shop.sell.mode: want 'read' or 'write', got '?'
local ate = require('ate')
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:method('sell', {doc = 'd', mode = 'write\0', run = function() end})
return shop
