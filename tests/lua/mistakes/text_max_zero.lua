-- expect: shop.item.header.text: min is at least 0 and max at least 1 (text_max_zero.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), text = t.text({max = 0})},
})
return shop
