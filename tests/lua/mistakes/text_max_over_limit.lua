-- expect: shop.item.header.text: max is at most 65536 here (text_max_over_limit.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), text = t.text({max = 100000})},
})
return shop
