--- Coins that keys hold, and that go from one to another in two steps.
--
-- Who pays makes an offer, and the coins leave the balance at once: no coin is
-- offered twice. Then the other side accepts, or either of them cancels, or the
-- offer expires, by the time of the log, and anybody may send the coins back.
-- An offer is settled once, as its `settled` has the offer as its key: the
-- engine sees to that, not a rule.
--
-- Coins are whole: `most` of a kind bounds all sums, so none overflows.
local ate = require('ate')
local t = ate.types
local wallet = ate.schema('wallet', {
    doc = 'Coins that keys hold, offer and accept.',
    version = 1,
    bodies = 'open',
})

local amount = t.integer({min = 1})

wallet:object('coin', {
    doc = 'A kind of coins. Whoever takes them trusts its issuer.',
    key = {'name'},
    header = {
        name = t.name({max = 40}),
        issuer = t.once(t.identity()),
        most = t.once(t.integer({min = 1})), -- how many there will ever be
    },
    off = {'patch', 'delete'},
})
wallet:event('minted', {
    doc = 'New coins.',
    parent = 'coin',
    header = {coin = t.ref('coin'), to = t.identity(), amount = amount},
})
-- Its sender is in the key: nobody takes the names of others' offers. All that
-- follows stands below its coin: one grant there lets somebody take part.
wallet:event('offer', {
    doc = 'Coins left their holder and wait for who they are offered to.',
    parent = 'coin',
    key = {'from', 'name'},
    header = {
        coin = t.ref('coin'),
        from = t.identity(),
        name = t.name({max = 80}),
        to = t.identity(),
        amount = amount,
        expires = t.time(),
    },
    body = {note = t.optional(t.text({max = 1000}))},
})
-- A fold sees no other events, so this one says again what the offer said;
-- not_as_offered compares.
wallet:event('settled', {
    doc = 'The coins of an offer went on, or back.',
    parent = 'offer',
    key = {'offer'},
    header = {
        offer = t.ref('offer'),
        how = t.enum({'accepted', 'returned'}),
        coin = t.ref('coin'),
        from = t.identity(),
        to = t.identity(),
        amount = amount,
    },
})

wallet:view('balance', {
    doc = 'How many coins each key holds, without those it has offered.',
    key = {'coin', 'holder'},
    row = {
        coin = t.ref('coin'),
        holder = t.identity(),
        amount = t.default(t.integer(), 0),
    },
    fold = {
        minted = function(rows, minted)
            rows:add({minted.coin, minted.to}, {amount = minted.amount})
        end,
        offer = function(rows, offer)
            rows:add({offer.coin, offer.from}, {amount = -offer.amount})
        end,
        settled = function(rows, settled)
            local holder = settled.how == 'accepted' and settled.to
                or settled.from
            rows:add({settled.coin, holder}, {amount = settled.amount})
        end,
    },
})
wallet:view('supply', {
    doc = 'How many coins of a kind were made.',
    key = {'coin'},
    row = {coin = t.ref('coin'), amount = t.default(t.integer(), 0)},
    fold = {
        minted = function(rows, minted)
            rows:add(minted.coin, {amount = minted.amount})
        end,
    },
})
wallet:view('waiting', {
    doc = 'Offers that are not settled, by whom they are made to.',
    key = {'to', 'offer'},
    row = {
        to = t.identity(),
        offer = t.ref('offer'),
        from = t.identity(),
        amount = t.integer(),
        expires = t.time(),
    },
    fold = {
        offer = function(rows, offer)
            rows:set({offer.to, offer.id}, {
                from = offer.from,
                amount = offer.amount,
                expires = offer.expires,
            })
        end,
        settled = function(rows, settled)
            rows:delete({settled.to, settled.offer})
        end,
    },
})

wallet:rule('not_your_name', {
    doc = 'Nobody issues coins in the name of another.',
    on = {'coin'},
    text = '{issuer} has to do that',
    check = function(_, coin, tx)
        return tx:by(coin.issuer) or ate.deny({issuer = coin.issuer})
    end,
})
-- Not by a right: those the root keys have, too, for coins of others.
wallet:rule('may_not_mint', {
    doc = 'Coins are made by their issuer, and by nobody else.',
    on = {'minted'},
    text = '{coin} is not yours to mint',
    check = function(state, minted, tx)
        return tx:by(state.coin:get(minted.coin).issuer)
            or ate.deny({coin = minted.coin})
    end,
})
wallet:rule('too_many', {
    doc = 'There are never more coins than was said when the kind was made.',
    on = {'minted'},
    text = 'there may be {left} more of {coin}',
    says = {left = t.integer()},
    check = function(state, minted)
        local left = ate.int.sub(state.coin:get(minted.coin).most,
            state.supply:get(minted.coin).amount)
        return minted.amount <= left
            or ate.deny({coin = minted.coin, left = left})
    end,
})
wallet:rule('not_yours', {
    doc = 'Only who holds coins offers them.',
    on = {'offer'},
    text = 'these are coins of {from}',
    check = function(_, offer, tx)
        return tx:by(offer.from) or ate.deny({from = offer.from})
    end,
})
wallet:rule('too_little', {
    doc = 'Nobody offers more than they hold.',
    on = {'offer'},
    text = '{from} holds {holds} of {coin}',
    says = {holds = t.integer()},
    check = function(state, offer)
        local holds = state.balance:get({offer.coin, offer.from}).amount
        return offer.amount <= holds
            or ate.deny({from = offer.from, holds = holds, coin = offer.coin})
    end,
})
wallet:rule('expires_at_once', {
    doc = 'An offer expires later than it is made.',
    on = {'offer'},
    text = 'an offer of now expires later than {now}',
    says = {now = t.time()},
    check = function(_, offer, tx)
        return offer.expires > tx.time or ate.deny({now = tx.time})
    end,
})
wallet:rule('not_as_offered', {
    doc = 'What is settled is what was offered.',
    on = {'settled'},
    text = '{offer} says otherwise',
    check = function(state, settled)
        local offer = state.offer:get(settled.offer)
        return settled.coin == offer.coin and settled.from == offer.from
            and settled.to == offer.to and settled.amount == offer.amount
            or ate.deny({offer = settled.offer})
    end,
})
wallet:rule('not_yours_to_accept', {
    doc = 'Who an offer is made to accepts it, before it expires.',
    on = {'settled'},
    text = '{offer} is for {to}, before {expires}',
    says = {expires = t.time()},
    check = function(state, settled, tx)
        local offer = state.offer:get(settled.offer)
        return settled.how ~= 'accepted'
            or tx:by(offer.to) and tx.time < offer.expires
            or ate.deny({
                offer = settled.offer, to = offer.to, expires = offer.expires,
            })
    end,
})
wallet:rule('not_yours_to_return', {
    doc = 'Coins go back when either side says so, or when the offer expired.',
    on = {'settled'},
    text = '{offer} goes back when {from} or {to} says so, or at {expires}',
    says = {expires = t.time()},
    check = function(state, settled, tx)
        local offer = state.offer:get(settled.offer)
        return settled.how ~= 'returned'
            or tx:by(offer.from) or tx:by(offer.to)
            or tx.time >= offer.expires
            or ate.deny({
                offer = settled.offer, from = offer.from, to = offer.to,
                expires = offer.expires,
            })
    end,
})

wallet:method('mint', {
    doc = 'Make coins.',
    mode = 'write',
    args = t.fields('minted'),
    rest = 'POST /coins/{coin}/minted',
    file = 'coins/{coin}/mint',
    run = function(ctx, args)
        ctx:emit('minted', args)
    end,
})
wallet:method('offer', {
    doc = 'Offer coins of yours, for a week unless it is said.',
    mode = 'write',
    args = {
        coin = t.ref('coin'),
        name = t.name({max = 80}),
        to = t.identity(),
        amount = amount,
        expires = t.optional(t.time()),
        note = t.optional(t.text({max = 1000})),
    },
    returns = t.ref('offer'),
    rest = 'POST /coins/{coin}/offers',
    file = 'coins/{coin}/offer',
    run = function(ctx, args)
        return ctx:emit('offer', {
            coin = args.coin,
            from = ctx.caller,
            name = args.name,
            to = args.to,
            amount = args.amount,
            expires = args.expires or ctx.time + ate.time.week,
            note = args.note,
        })
    end,
})

local function settle(ctx, ref, how)
    local offer = ctx:get('offer', ref)
    ctx:emit('settled', {
        offer = ref,
        how = how,
        coin = offer.coin,
        from = offer.from,
        to = offer.to,
        amount = offer.amount,
    })
end

wallet:method('accept', {
    doc = 'Take what was offered to you.',
    mode = 'write',
    args = {offer = t.ref('offer')},
    rest = 'POST /offers/{offer}/accept',
    file = 'offers/{offer}/accept',
    run = function(ctx, args)
        settle(ctx, args.offer, 'accepted')
    end,
})
wallet:method('cancel', {
    doc = 'Send coins back: of an offer of yours, to you, or that expired.',
    mode = 'write',
    args = {offer = t.ref('offer')},
    rest = 'POST /offers/{offer}/cancel',
    file = 'offers/{offer}/cancel',
    run = function(ctx, args)
        settle(ctx, args.offer, 'returned')
    end,
})
return wallet
