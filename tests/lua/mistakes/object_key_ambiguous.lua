-- expect: shop.link.key: more than one part of it may have an optional parent: a text such as a/b/c would not tell what is whose (object_key_ambiguous.lua:11)
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('shelf', {
    doc = 'Where things stand.',
    key = {'name'},
    header = {name = t.name(), above = t.optional(t.ref('shelf'))},
    parent = 'above',
})
shop:object('link', {
    doc = 'Leads from one to another.',
    key = {'from', 'to'},
    header = {from = t.ref('shelf'), to = t.ref('shelf')},
})
return shop
