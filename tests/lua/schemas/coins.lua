-- Wallets and coins. Keys are names, what a rule's text says beside the fields of
-- its event has its type in `says`, and `wallet_in_use` looks at coins that wait,
-- too: without their wallet they could never go back.
local ate = require('ate')
local t = ate.types
local coins = ate.schema('coins', {doc = 'Wallets, and coins that are moved or held.', version = 1})

local amount = t.amount({scale = 2, min = 1})

coins:object('wallet', {
    doc = 'Holds the coins of one owner.',
    key = {'name'},
    header = {name = t.name({max = 40}), owner = t.once(t.identity())},
})
coins:object('mint', {
    doc = 'Where coins come from.',
    key = {'name'},
    header = {name = t.name({max = 40})},
    rights = {mint = 'Make coins.'},
})
coins:event('minted', {
    doc = 'New coins.',
    parent = 'mint',
    header = {mint = t.ref('mint'), to = t.ref('wallet'), amount = amount},
})
coins:event('moved', {
    doc = 'Coins went from one wallet to another.',
    parent = 'from',
    header = {from = t.ref('wallet'), to = t.ref('wallet'), amount = amount},
    body = {note = t.optional(t.text({max = 200}))},
})
coins:event('held', {
    doc = 'Coins left a wallet and wait for an event of the type `guard`.',
    parent = 'from',
    key = {'name'},
    header = {
        name = t.name({max = 80}),
        from = t.ref('wallet'),
        amount = amount,
        guard = t.event_type(),
    },
})
coins:event('freed', {
    doc = 'Held coins went to a wallet.',
    parent = 'held',
    key = {'held'},
    header = {held = t.ref('held'), to = t.ref('wallet'), amount = amount},
})

coins:view('balance', {
    doc = 'What each wallet holds.',
    key = {'wallet'},
    row = {wallet = t.ref('wallet'), amount = t.default(t.amount({scale = 2}), 0)},
    fold = {
        minted = function(rows, e)
            rows:add(e.to, {amount = e.amount})
        end,
        moved = function(rows, e)
            rows:add(e.from, {amount = -e.amount})
            rows:add(e.to, {amount = e.amount})
        end,
        held = function(rows, e)
            rows:add(e.from, {amount = -e.amount})
        end,
        freed = function(rows, e)
            rows:add(e.to, {amount = e.amount})
        end,
    },
})

coins:rule('may_mint', {
    doc = 'Coins are made by those who may mint.',
    on = {'minted'},
    check = function(_, minted, tx)
        return tx:may('mint', minted.mint) or ate.deny({who = tx.author})
    end,
})
coins:rule('not_owner', {
    doc = 'Only its owner takes coins out of a wallet.',
    on = {'moved', 'held'},
    text = '{who} does not own {wallet}',
    says = {who = t.identity(), wallet = t.ref('wallet')},
    check = function(state, event, tx)
        return tx:by(state.wallet:get(event.from).owner)
            or ate.deny({who = tx.author, wallet = event.from})
    end,
})
coins:rule('too_little', {
    doc = 'A wallet never goes below zero.',
    on = {'moved', 'held'},
    text = '{wallet} holds {holds}, {amount} wanted',
    says = {wallet = t.ref('wallet'), holds = t.amount({scale = 2})},
    check = function(state, event)
        local holds = state.balance:get(event.from).amount
        return holds >= event.amount
            or ate.deny({wallet = event.from, holds = holds, amount = event.amount})
    end,
})
coins:rule('not_freed', {
    doc = 'Held coins go as an event of their guard says, in the same transaction.',
    on = {'freed'},
    text = 'no {guard} frees {held} for {to}',
    says = {guard = t.event_type()},
    check = function(state, freed, tx)
        local held = state.held:get(freed.held)
        for e in tx:each(held.guard) do
            if e.held == freed.held and e.to == freed.to and held.amount == freed.amount then
                return true
            end
        end
        return ate.deny({guard = held.guard, held = freed.held, to = freed.to})
    end,
})
local function is_empty(state, wallet)
    for held in state.held:each(wallet.id) do
        if state.freed:count(held.id) == 0 then
            return false
        end
    end
    return state.balance:get(wallet.id).amount == 0
end

coins:rule('wallet_in_use', {
    doc = 'A wallet with coins, its own or held ones, is not deleted.',
    on = {'wallet'},
    check = function(state, wallet)
        return wallet.change ~= 'delete' or is_empty(state, wallet)
            or ate.deny({wallet = wallet.id})
    end,
})

coins:method('move', {
    doc = 'Move coins to another wallet.',
    args = t.fields('moved'),
    mode = 'write', runs = 'both',
    rest = 'POST /wallets/{from}/moves',
    file = 'wallets/{from}/move',
    run = function(ctx, args)
        return ctx:emit('moved', args)
    end,
})
return coins
