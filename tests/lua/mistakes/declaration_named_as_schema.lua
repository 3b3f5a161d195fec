-- expect: deal.deal: the schema 'deal' has that name already (declaration_named_as_schema.lua:4) (declaration_named_as_schema.lua:5)
local ate = require('ate')
local t = ate.types
local deal = ate.schema('deal', {doc = 'Deals.', version = 1})
deal:object('deal', {
    doc = 'A deal.', key = {'name'}, header = {name = t.name()},
})
deal:event('paid', {doc = 'Paid.', header = {deal = t.ref('deal')}})
deal:view('open', {
    doc = 'What is open.',
    key = {'deal'},
    row = {deal = t.ref('deal')},
    fold = {deal = function(rows, one)
        rows:set({deal = one.id}, {})
    end},
})
deal:rule('closed', {
    doc = 'No.', on = {'deal'}, check = function() return true end,
})
deal:method('pay', {
    doc = 'Pay.', mode = 'write', args = {deal = t.ref('deal')},
    run = function(ctx, args) return ctx:emit('paid', {deal = args.deal}) end,
})
return deal
