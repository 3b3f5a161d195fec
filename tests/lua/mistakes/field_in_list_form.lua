-- expect: shop.item.header: takes names with values, not a list (field_in_list_form.lua:5)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {t.name()},
})
return shop
