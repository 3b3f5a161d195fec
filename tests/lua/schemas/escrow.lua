-- Deals between wallets. Keys are names, which have no '/'; a ref is opaque, so a
-- hold is named by its parent and key, not by text put together; what a rule's
-- text says beside the fields of its event has its type in `says`;
-- `not_its_coins` keeps one deal from freeing the coins of another; and a wallet
-- that was deleted meanwhile has no owner.
local ate = require('ate')
require('coins')
local t = ate.types
local escrow = ate.schema('escrow', {doc = 'Coins wait until both sides have done their part.', version = 1})

escrow:event('deal', {
    doc = 'Two wallets agreed on terms; the buyer paid in.',
    parent = 'buyer',
    key = {'name'},
    header = {
        name = t.name({max = 40}),
        buyer = t.ref('coins.wallet'),
        seller = t.ref('coins.wallet'),
        arbiter = t.identity(),
        amount = t.amount({scale = 2, min = 1}),
        deadline = t.time(),
    },
    body = {terms = t.text({max = 4000})},
})
escrow:event('settled', {
    doc = 'The coins of a deal went to one side.',
    parent = 'deal',
    key = {'deal'}, -- a deal is settled once
    with = 'coins.freed', -- and not_paid_out says which
    header = {
        deal = t.ref('deal'),
        held = t.ref('coins.held'),
        to = t.ref('coins.wallet'),
    },
    body = {why = t.optional(t.text({max = 1000}))},
})

escrow:view('open', {
    doc = 'Deals that wait.',
    key = {'deal'},
    row = {deal = t.ref('deal'), deadline = t.time()},
    order = {'deadline'},
    fold = {
        deal = function(rows, deal)
            rows:set(deal.id, {deadline = deal.deadline})
        end,
        settled = function(rows, settled)
            rows:delete(settled.deal)
        end,
    },
})

-- The hold of a deal stands under its buyer, so that nobody else can take its
-- name.
local function held_for(deal)
    return {from = deal.buyer, name = 'escrow.' .. deal.name}
end

escrow:rule('not_paid_in', {
    doc = 'A deal starts together with the coins it is about.',
    on = {'deal'},
    per = 'transaction',
    text = '{deal} is not paid in', says = {deal = t.ref('deal')},
    check = function(state, tx)
        for deal in tx:each('deal') do
            local held = state.coins.held:get(held_for(deal))
            if held == nil or held.guard ~= 'escrow.settled'
                or held.from ~= deal.buyer or held.amount ~= deal.amount then
                return ate.deny({deal = deal.id})
            end
        end
        return true
    end,
})
escrow:rule('not_its_coins', {
    doc = 'A deal frees the coins that were paid into it, not those of another.',
    on = {'settled'},
    text = '{held} does not belong to {deal}',
    check = function(state, settled)
        local deal = state.deal:get(settled.deal)
        local held = state.coins.held:get(held_for(deal))
        return held ~= nil and settled.held == held.id
            or ate.deny({held = settled.held, deal = settled.deal})
    end,
})
-- One event is enough for any number that come `with` it: two deals could be
-- settled with the coins of one, and those of the other would never move again.
escrow:rule('not_paid_out', {
    doc = 'A deal is settled together with its own coins.',
    on = {'settled'},
    per = 'transaction',
    text = '{deal} is not paid out', says = {deal = t.ref('deal')},
    check = function(state, tx)
        for settled in tx:each('settled') do
            if state.coins.freed:count(settled.held) == 0 then
                return ate.deny({deal = settled.deal})
            end
        end
        return true
    end,
})
local function is_owner(state, tx, wallet)
    local found = state.coins.wallet:get(wallet)
    return found ~= nil and tx:by(found.owner)
end

escrow:rule('not_yours_to_settle', {
    doc = 'Buyer or arbiter pays the seller; seller, arbiter or the deadline pays back the buyer.',
    on = {'settled'},
    text = '{who} may not settle {deal} for {to} before {deadline}',
    says = {who = t.identity(), deadline = t.time()},
    check = function(state, settled, tx)
        local deal = state.deal:get(settled.deal)
        local allowed = false
        if settled.to == deal.seller then
            allowed = is_owner(state, tx, deal.buyer) or tx:by(deal.arbiter)
        elseif settled.to == deal.buyer then
            allowed = is_owner(state, tx, deal.seller) or tx:by(deal.arbiter)
                or tx.time >= deal.deadline
        end
        return allowed or ate.deny({who = tx.author, deal = settled.deal,
                                    to = settled.to, deadline = deal.deadline})
    end,
})

local function settle(ctx, id, to, why)
    local deal = ctx.state.deal:get(id)
    local held = ctx.state.coins.held:get(held_for(deal)).id
    ctx:emit('settled', {deal = id, held = held, to = deal[to], why = why})
    return ctx:emit('coins.freed', {held = held, to = deal[to], amount = deal.amount})
end

escrow:method('open', {
    doc = 'Agree on a deal and pay in.',
    args = t.fields('deal'),
    mode = 'write', runs = 'both',
    rest = 'POST /deals', file = 'deals/open',
    run = function(ctx, args)
        ctx:emit('coins.held', {
            name = 'escrow.' .. args.name,
            from = args.buyer,
            amount = args.amount,
            guard = 'escrow.settled',
        })
        return ctx:emit('deal', args)
    end,
})
escrow:method('release', {
    doc = 'Pay the seller.',
    args = {deal = t.ref('deal'), why = t.optional(t.text())},
    mode = 'write', runs = 'both',
    rest = 'POST /deals/{deal}/release', file = 'deals/{deal}/release',
    run = function(ctx, args)
        return settle(ctx, args.deal, 'seller', args.why)
    end,
})
escrow:method('refund', {
    doc = 'Pay back the buyer.',
    args = {deal = t.ref('deal'), why = t.optional(t.text())},
    mode = 'write', runs = 'both',
    rest = 'POST /deals/{deal}/refund', file = 'deals/{deal}/refund',
    run = function(ctx, args)
        return settle(ctx, args.deal, 'buyer', args.why)
    end,
})
escrow:worker('overdue', {
    doc = 'Pay back the buyers of deals whose deadline has passed.',
    due = {'open', 'deadline'},
    run = function(ctx, row)
        return ctx:call('refund', {deal = row.deal, why = 'deadline'})
    end,
})
return escrow
