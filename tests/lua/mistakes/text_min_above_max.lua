-- expect: shop.item.header.text: min is above max (text_min_above_max.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), text = t.text({min = 5, max = 4})},
})
return shop
