-- expect: shop.item.header.size: its default: 'bigg' is none of small, big; did you mean 'big'? (default_no_enum_word.lua:8)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), size = t.default(t.enum({'small', 'big'}), 'bigg')},
})
return shop
