-- What somebody may write who calls no method of escrow's: several events of
-- theirs in one transaction.
local ate = require('ate')
require('escrow')
local t = ate.types
local thief = ate.schema('thief', {doc = 'Transactions of somebody else\'s.', version = 1})

thief:method('settle_two', {
    doc = 'Settle two deals, and free the coins of one.',
    args = {first = t.ref('escrow.deal'), second = t.ref('escrow.deal')},
    mode = 'write',
    run = function(ctx, args)
        for _, ref in ipairs({args.second, args.first}) do
            local deal = ctx.state.escrow.deal:get(ref)
            ctx:emit('escrow.settled', {
                deal = ref,
                held = {from = deal.buyer, name = 'escrow.' .. deal.name},
                to = deal.buyer,
            })
        end
        local deal = ctx.state.escrow.deal:get(args.first)
        ctx:emit('coins.freed', {
            held = {from = deal.buyer, name = 'escrow.' .. deal.name},
            to = deal.buyer,
            amount = deal.amount,
        })
    end,
})
return thief
