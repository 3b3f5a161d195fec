--- Money that waits until two parties agree, or an arbiter decides.
--
-- A deal begins when both parties have signed it, and takes its money in at
-- once. From then on it goes only where both of them say, or, after a dispute
-- or the deadline, where the arbiter they named says. A deal is settled once, as
-- its `settled` has the deal as its key: the engine sees to that, not a rule.
--
-- Nobody else has a say: not who runs the chain, nor the bank that the money is
-- of. Amounts are whole cents.
local ate = require('ate')
local t = ate.types
local escrow = ate.schema('escrow', {
    doc = 'Deals of two parties, with an arbiter and a deadline.',
    version = 1,
    bodies = 'open',
})

-- No balance is larger, and no sum of two of them is beyond 2^53.
local MOST = 10000000000000
local money = t.amount({scale = 2})
local payment = t.amount({scale = 2, min = 1, max = MOST})
local share = t.amount({scale = 2, min = 0, max = MOST})

-- All that follows stands below its bank: one grant there lets somebody in.
escrow:object('bank', {
    doc = 'Where money comes from. Whoever takes it trusts its owner.',
    key = {'name'},
    header = {name = t.name({max = 40}), owner = t.once(t.identity())},
    off = {'patch', 'delete'},
})
escrow:event('paid_in', {
    doc = 'The bank got money of somebody, who has it here now.',
    parent = 'bank',
    header = {bank = t.ref('bank'), who = t.identity(), amount = payment},
})
escrow:event('paid_out', {
    doc = 'The bank gave somebody money, which is gone here.',
    parent = 'bank',
    header = {bank = t.ref('bank'), who = t.identity(), amount = payment},
})
-- The buyer is in the key: nobody takes the names of others' deals.
escrow:event('deal', {
    doc = 'Two parties agreed, and the money waits.',
    parent = 'bank',
    key = {'buyer', 'name'},
    header = {
        bank = t.ref('bank'),
        buyer = t.identity(),
        name = t.name({max = 80}),
        seller = t.identity(),
        arbiter = t.identity(),
        amount = payment,
        deadline = t.time(),
    },
    body = {terms = t.text({max = 16000})},
})
escrow:event('disputed', {
    doc = 'One of them wants the arbiter to decide.',
    parent = 'deal',
    key = {'deal'},
    header = {deal = t.ref('deal')},
    body = {why = t.text({max = 16000})},
})
-- A fold sees no other events, so this one says again what the deal said;
-- not_of_the_deal compares.
escrow:event('settled', {
    doc = 'The money of a deal went to its parties.',
    parent = 'deal',
    key = {'deal'},
    header = {
        deal = t.ref('deal'),
        bank = t.ref('bank'),
        buyer = t.identity(),
        seller = t.identity(),
        to_buyer = share,
        to_seller = share,
    },
    body = {why = t.optional(t.text({max = 16000}))},
})

escrow:view('balance', {
    doc = 'What everybody has, without what waits in deals.',
    key = {'bank', 'who'},
    row = {
        bank = t.ref('bank'),
        who = t.identity(),
        amount = t.default(money, 0),
    },
    fold = {
        paid_in = function(rows, paid)
            rows:add({paid.bank, paid.who}, {amount = paid.amount})
        end,
        paid_out = function(rows, paid)
            rows:add({paid.bank, paid.who}, {amount = -paid.amount})
        end,
        deal = function(rows, deal)
            rows:add({deal.bank, deal.buyer}, {amount = -deal.amount})
        end,
        settled = function(rows, settled)
            rows:add({settled.bank, settled.buyer},
                {amount = settled.to_buyer})
            rows:add({settled.bank, settled.seller},
                {amount = settled.to_seller})
        end,
    },
})
escrow:view('total', {
    doc = 'What each bank owes: all balances, and what waits.',
    key = {'bank'},
    row = {bank = t.ref('bank'), amount = t.default(money, 0)},
    fold = {
        paid_in = function(rows, paid)
            rows:add(paid.bank, {amount = paid.amount})
        end,
        paid_out = function(rows, paid)
            rows:add(paid.bank, {amount = -paid.amount})
        end,
    },
})
escrow:view('open', {
    doc = 'Deals that wait, the most urgent first.',
    key = {'deal'},
    order = {'deadline'},
    row = {
        deal = t.ref('deal'),
        deadline = t.time(),
        amount = money,
        disputed = t.default(t.boolean(), false),
    },
    fold = {
        deal = function(rows, deal)
            rows:set(deal.id,
                {deadline = deal.deadline, amount = deal.amount})
        end,
        disputed = function(rows, disputed)
            rows:set(disputed.deal, {disputed = true})
        end,
        settled = function(rows, settled)
            rows:delete(settled.deal)
        end,
    },
})

-- ---- money in and out ----

escrow:rule('not_your_name', {
    doc = 'Nobody opens a bank in the name of another.',
    on = {'bank'},
    text = '{owner} has to do that',
    check = function(_, bank, tx)
        return tx:by(bank.owner) or ate.deny({owner = bank.owner})
    end,
})
escrow:rule('not_your_bank', {
    doc = 'Its owner says what a bank was paid, and what it paid.',
    on = {'paid_in', 'paid_out'},
    text = '{bank} is not yours',
    check = function(state, paid, tx)
        return tx:by(state.bank:get(paid.bank).owner)
            or ate.deny({bank = paid.bank})
    end,
})
escrow:rule('not_their_word', {
    doc = 'What a bank paid out, who got it signed, too.',
    on = {'paid_out'},
    text = '{who} has to sign that, too',
    check = function(_, paid, tx)
        return tx:by(paid.who) or ate.deny({who = paid.who})
    end,
})
escrow:rule('too_much', {
    doc = 'A bank owes no more than 100,000,000,000.00.',
    on = {'paid_in'},
    text = '{bank} may be paid {left} more',
    says = {left = money},
    check = function(state, paid)
        local left = MOST - state.total:get(paid.bank).amount
        return paid.amount <= left
            or ate.deny({bank = paid.bank, left = left})
    end,
})

local function has(state, bank, who, amount)
    local left = state.balance:get({bank, who}).amount
    return left >= amount or ate.deny({who = who, left = left})
end

escrow:rule('too_little', {
    doc = 'Nobody pays more than they have.',
    on = {'paid_out', 'deal'},
    text = '{who} has {left}',
    says = {who = t.identity(), left = money},
    check = function(state, event)
        local is_deal = event.type == 'escrow.deal'
        return has(state, event.bank, is_deal and event.buyer or event.who,
            event.amount)
    end,
})

-- ---- deals ----

escrow:rule('not_agreed', {
    doc = 'A deal begins when both parties have signed it.',
    on = {'deal'},
    text = '{buyer} and {seller} both have to sign that',
    check = function(_, deal, tx)
        return tx:by(deal.buyer) and tx:by(deal.seller)
            or ate.deny({buyer = deal.buyer, seller = deal.seller})
    end,
})
escrow:rule('not_three', {
    doc = 'Buyer, seller and arbiter are three.',
    on = {'deal'},
    check = function(_, deal)
        return deal.buyer ~= deal.seller and deal.arbiter ~= deal.buyer
            and deal.arbiter ~= deal.seller or ate.deny()
    end,
})
escrow:rule('too_late', {
    doc = 'The deadline of a deal is still to come.',
    on = {'deal'},
    text = 'a deal of now ends later than {now}',
    says = {now = t.time()},
    check = function(_, deal, tx)
        return deal.deadline > tx.time or ate.deny({now = tx.time})
    end,
})
escrow:rule('not_your_deal', {
    doc = 'Only its parties dispute a deal.',
    on = {'disputed'},
    text = '{deal} is not yours',
    check = function(state, disputed, tx)
        local deal = state.deal:get(disputed.deal)
        return tx:by(deal.buyer) or tx:by(deal.seller)
            or ate.deny({deal = disputed.deal})
    end,
})
escrow:rule('settled_before', {
    doc = 'A deal that is settled is not disputed.',
    on = {'disputed'},
    text = '{deal} is settled',
    check = function(state, disputed)
        return state.open:get(disputed.deal) ~= nil
            or ate.deny({deal = disputed.deal})
    end,
})

-- ---- how they end ----

escrow:rule('not_of_the_deal', {
    doc = 'What is settled is what was agreed, to the cent.',
    on = {'settled'},
    text = '{deal} says otherwise',
    check = function(state, settled)
        local deal = state.deal:get(settled.deal)
        return settled.bank == deal.bank and settled.buyer == deal.buyer
            and settled.seller == deal.seller
            and settled.to_buyer + settled.to_seller == deal.amount
            or ate.deny({deal = settled.deal})
    end,
})
escrow:rule('not_yours_to_settle', {
    doc = 'Both parties settle a deal; or, when it is disputed or its deadline '
        .. 'has passed, the arbiter.',
    on = {'settled'},
    text = '{buyer} and {seller} settle that, or, disputed or from {deadline} '
        .. 'on, {arbiter}',
    says = {deadline = t.time(), arbiter = t.identity()},
    check = function(state, settled, tx)
        local deal = state.deal:get(settled.deal)
        local agreed = tx:by(deal.buyer) and tx:by(deal.seller)
        local row = state.open:get(settled.deal)
        local may_decide = row ~= nil and row.disputed
            or tx.time >= deal.deadline
        return agreed or may_decide and tx:by(deal.arbiter)
            or ate.deny({
                buyer = deal.buyer, seller = deal.seller,
                deadline = deal.deadline, arbiter = deal.arbiter,
            })
    end,
})

-- ---- what people call ----

local function settle(ctx, args, to_seller)
    local deal = ctx:get('deal', args.deal)
    ctx:emit('settled', {
        deal = args.deal,
        bank = deal.bank,
        buyer = deal.buyer,
        seller = deal.seller,
        to_buyer = deal.amount - to_seller(deal),
        to_seller = to_seller(deal),
        why = args.why,
    })
end

local why = t.optional(t.text({max = 16000}))

escrow:method('open', {
    doc = 'Begin a deal; buyer and seller sign it.',
    mode = 'write',
    args = t.fields('deal'),
    returns = t.ref('deal'),
    rest = 'POST /banks/{bank}/deals',
    file = 'banks/{bank}/open',
    run = function(ctx, args)
        return ctx:emit('deal', args)
    end,
})
escrow:method('dispute', {
    doc = 'Ask the arbiter to decide.',
    mode = 'write',
    args = t.fields('disputed'),
    rest = 'POST /deals/{deal}/dispute',
    file = 'deals/{deal}/dispute',
    run = function(ctx, args)
        ctx:emit('disputed', args)
    end,
})
escrow:method('release', {
    doc = 'Pay the seller.',
    mode = 'write',
    args = {deal = t.ref('deal'), why = why},
    rest = 'POST /deals/{deal}/release',
    file = 'deals/{deal}/release',
    run = function(ctx, args)
        settle(ctx, args, function(deal)
            return deal.amount
        end)
    end,
})
escrow:method('refund', {
    doc = 'Pay the buyer back.',
    mode = 'write',
    args = {deal = t.ref('deal'), why = why},
    rest = 'POST /deals/{deal}/refund',
    file = 'deals/{deal}/refund',
    run = function(ctx, args)
        settle(ctx, args, function()
            return 0
        end)
    end,
})
escrow:method('split', {
    doc = 'Pay the seller a part, and the buyer the rest back.',
    mode = 'write',
    args = {deal = t.ref('deal'), to_seller = share, why = why},
    rest = 'POST /deals/{deal}/split',
    file = 'deals/{deal}/split',
    run = function(ctx, args)
        settle(ctx, args, function()
            return args.to_seller
        end)
    end,
})
return escrow
