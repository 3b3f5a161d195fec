-- expect: shop.item.key: 'name' is a text: a key is part of a path, so it takes t.name (object_key_text.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.text({max = 40})},
})
return shop
