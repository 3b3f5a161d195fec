local test = require('ate.test')
test.schema('escrow.lua')

--- Ann buys from ben, with carl as the arbiter and eve as somebody else.
local function people(t)
    local u = {}
    for _, name in ipairs({'me', 'ann', 'ben', 'carl', 'eve'}) do
        u[name] = t:user(name)
    end
    u.me:call('coins.mint.create', {name = 'royal'})
    for _, name in ipairs({'ann', 'ben', 'eve'}) do
        u[name]:call('coins.wallet.create', {name = name, owner = name})
        u.me:call('coins.minted.append',
            {mint = 'royal', to = name, amount = '100.00'})
    end
    return u
end

local function bike(changes)
    local args = {name = 'bike', buyer = 'ann', seller = 'ben',
        arbiter = 'carl', amount = '60.00', deadline = '2026-01-15T00:00:00Z',
        terms = 'A red one.'}
    for key, value in pairs(changes or {}) do
        args[key] = value
    end
    return args
end

local function holds(t, wallet)
    return t:view('coins.balance', {wallet = wallet})[1].amount
end

test.it('a deal takes its coins in', function(t)
    local u = people(t)
    u.ann:call('open', bike())
    t:equal(holds(t, 'ann'), '40.00')
    t:equal(t:view('open'),
        {{deal = 'ann/bike', deadline = '2026-01-15T00:00:00Z'}})
    t:equal(t:get('deal', 'ann/bike').terms, 'A red one.')
    t:fails('CONFLICT', u.ann, 'open', bike())
    t:refused('coins.too_little', u.ann, 'open',
        bike({name = 'car', amount = '40.01'}))
    t:equal(holds(t, 'ann'), '40.00')
end)

test.it('nobody opens a deal with the coins of others', function(t)
    local u = people(t)
    t:refused('coins.not_owner', u.eve, 'open', bike())
    u.eve:call('open', bike({buyer = 'eve'})) -- the name is free there
    u.ann:call('open', bike())
    t:equal(#t:view('open'), 2)
end)

test.it('a deal starts together with its coins', function(t)
    local u = people(t)
    local said = t:refused('not_paid_in', u.ann, 'deal.append', bike())
    t:ok(said:find('ann/bike is not paid in', 1, true), said)
    local held = {name = 'escrow.bike', from = 'ann', amount = '60.00',
        guard = 'coins.freed'}
    u.ann:call('coins.held.append', held) -- freed by anybody
    t:refused('not_paid_in', u.ann, 'deal.append', bike())
    held.name, held.guard = 'escrow.boat', 'escrow.settled'
    held.amount = '10.00'
    u.ann:call('coins.held.append', held)
    t:refused('not_paid_in', u.ann, 'deal.append', bike({name = 'boat'}))
    u.ann:call('deal.append', bike({name = 'boat', amount = '10.00'}))
end)

test.it('the buyer pays the seller', function(t)
    local u = people(t)
    u.ann:call('open', bike())
    t:refused('not_yours_to_settle', u.ben, 'release', {deal = 'ann/bike'})
    t:refused('not_yours_to_settle', u.eve, 'release', {deal = 'ann/bike'})
    u.ann:call('release', {deal = 'ann/bike', why = 'It is red.'})
    t:equal(holds(t, 'ben'), '160.00')
    t:equal(t:view('open'), {})
    t:equal(t:list('settled')[1].why, 'It is red.')
end)

test.it('the arbiter decides either way', function(t)
    local u = people(t)
    u.ann:call('open', bike())
    u.ann:call('open', bike({name = 'boat', amount = '1.00'}))
    u.carl:call('release', {deal = 'ann/bike'})
    u.carl:call('refund', {deal = 'ann/boat'})
    t:equal(holds(t, 'ben'), '160.00')
    t:equal(holds(t, 'ann'), '40.00')
end)

test.it('the seller gives the coins back, the buyer does not take them',
    function(t)
        local u = people(t)
        u.ann:call('open', bike())
        t:refused('not_yours_to_settle', u.ann, 'refund', {deal = 'ann/bike'})
        t:refused('not_yours_to_settle', u.eve, 'refund', {deal = 'ann/bike'})
        u.ben:call('refund', {deal = 'ann/bike'})
        t:equal(holds(t, 'ann'), '100.00')
    end)

test.it('after the deadline a worker pays the buyer back', function(t)
    local u = people(t)
    u.ann:call('open', bike())
    u.ann:call('open', bike({name = 'boat', amount = '1.00'}))
    u.ann:call('release', {deal = 'ann/boat'})
    t:at('2026-01-14T23:59:59Z')
    t:equal(t:works('overdue'), 0)
    t:at('2026-01-15T00:00:00Z')
    t:equal(t:works('overdue'), 1)
    t:equal(t:get('settled', 'ann/bike').why, 'deadline')
    t:equal(holds(t, 'ann'), '99.00')
    t:equal(t:works('overdue'), 0)
end)

test.it('after the deadline anybody pays the buyer back', function(t)
    local u = people(t)
    u.ann:call('open', bike())
    t:at('2026-01-14T23:59:59Z')
    local said = t:refused('not_yours_to_settle', u.eve, 'refund',
        {deal = 'ann/bike'})
    t:ok(said:find('for ann before 2026-01-15T00:00:00Z', 1, true), said)
    t:at('2026-01-15T00:00:00Z')
    t:refused('not_yours_to_settle', u.eve, 'release', {deal = 'ann/bike'})
    u.eve:call('refund', {deal = 'ann/bike', why = 'deadline'})
    t:equal(holds(t, 'ann'), '100.00')
    t:equal(t:view('open'), {})
end)

test.it('a deal is settled once', function(t)
    local u = people(t)
    u.ann:call('open', bike())
    u.ann:call('release', {deal = 'ann/bike'})
    t:fails('CONFLICT', u.ann, 'release', {deal = 'ann/bike'})
    t:fails('CONFLICT', u.ben, 'refund', {deal = 'ann/bike'})
    t:equal(holds(t, 'ann'), '40.00')
    t:equal(holds(t, 'ben'), '160.00')
    t:equal(t:sum('coins.balance', 'amount'), '300.00')
end)

test.it('nothing is settled without its coins, nor freed without a deal',
    function(t)
        local u = people(t)
        u.ann:call('open', bike())
        local settled = {deal = 'ann/bike', held = 'ann/escrow.bike',
            to = 'ben'}
        t:fails('REFUSED', u.ann, 'settled.append', settled)
        t:refused('coins.not_freed', u.ann, 'coins.freed.append',
            {held = 'ann/escrow.bike', to = 'ann', amount = '60.00'})
        t:equal(holds(t, 'ann'), '40.00')
    end)

test.it('a deal frees no coins of another', function(t)
    local u = people(t)
    u.ann:call('open', bike())
    u.eve:call('open', bike({buyer = 'eve', seller = 'eve', arbiter = 'eve'}))
    local said = t:refused('not_its_coins', u.eve, 'settled.append',
        {deal = 'eve/bike', held = 'ann/escrow.bike', to = 'eve'})
    t:ok(said:find('ann/escrow.bike does not belong to eve/bike', 1, true),
        said)
end)

test.it('deals wait in the order of their deadlines', function(t)
    local u = people(t)
    for day, name in ipairs({'c', 'a', 'b'}) do
        u.ann:call('open', bike({name = name, amount = '1.00',
            deadline = ('2026-02-0%dT00:00:00Z'):format(day)}))
    end
    local names = {}
    for _, row in ipairs(t:view('open', nil, {order = 'first'})) do
        names[#names + 1] = row.deal
    end
    t:equal(names, {'ann/c', 'ann/a', 'ann/b'})
end)

test.it('a deal is settled for one of its two sides', function(t)
    local u = people(t)
    u.ann:call('open', bike())
    for _, name in ipairs({'ann', 'ben', 'carl', 'eve'}) do
        t:refused('not_yours_to_settle', u[name], 'settled.append',
            {deal = 'ann/bike', held = 'ann/escrow.bike', to = 'eve'})
    end
end)

-- It may be: nothing of it waits.
test.it('a seller whose wallet is gone does not keep the buyer waiting',
    function(t)
        local u = people(t)
        local dan = t:user('dan')
        dan:call('coins.wallet.create', {name = 'dan', owner = 'dan'})
        u.ann:call('open', bike({seller = 'dan'}))
        dan:call('coins.wallet.delete', {name = 'dan'})
        t:fails('NOT_FOUND', u.ann, 'release', {deal = 'ann/bike'})
        t:refused('not_yours_to_settle', dan, 'refund', {deal = 'ann/bike'})
        t:advance('20 days')
        u.ann:call('refund', {deal = 'ann/bike'})
        t:equal(holds(t, 'ann'), '100.00')
    end)

test.it('a wallet whose coins wait in a deal is not deleted', function(t)
    local u = people(t)
    u.ann:call('open', bike({amount = '100.00'}))
    t:equal(holds(t, 'ann'), '0.00')
    t:refused('coins.wallet_in_use', u.ann, 'coins.wallet.delete',
        {name = 'ann'})
    u.ann:call('release', {deal = 'ann/bike'})
    u.ann:call('coins.wallet.delete', {name = 'ann'})
end)

test.schema('thief.lua')

test.it('a deal is settled with its own coins, not those of another', function(t)
    local u = people(t)
    for _, name in ipairs({'bike', 'boat'}) do
        u.ann:call('escrow.open', bike({name = name, amount = '10.00'}))
    end
    t:at('2026-01-15T00:00:00Z')
    t:refused('escrow.not_paid_out', u.eve, 'settle_two',
        {first = 'ann/bike', second = 'ann/boat'})
    u.ann:call('escrow.refund', {deal = 'ann/boat'})
    t:equal(holds(t, 'ann'), '90.00')
end)
