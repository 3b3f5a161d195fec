-- expect: shop.item.header.deep: structs and lists nest at most 8 deep (nested_too_deep.lua:7)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
local deep = t.integer()
for _ = 1, 12 do
    deep = t.list(deep)
end
shop:object('item', {
    doc = 'What is sold.',
    key = {'name'},
    header = {name = t.name(), deep = deep},
})
return shop
