-- expect: shop.item.body.text: max is at most 16777216 here (text_max_over_limit_in_body.lua:9)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name()},
    body = {text = t.text({max = 100000000})},
})
return shop
