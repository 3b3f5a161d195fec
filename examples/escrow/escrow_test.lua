local test = require('ate.test')
test.schema('escrow.lua')

--- My bank, in which ann (the buyer), ben (the seller) and eve have 100.00;
-- carl is the arbiter.
local function people(t)
    local u = {me = t:user('me')}
    u.me:call('bank.create', {name = 'bank', owner = 'me'})
    for _, name in ipairs({'ann', 'ben', 'carl', 'eve'}) do
        u[name] = t:user(name)
        if name ~= 'carl' then
            u.me:call('paid_in.append',
                {bank = 'bank', who = name, amount = '100.00'})
        end
    end
    return u
end

local function bike(changes)
    local args = {bank = 'bank', buyer = 'ann', name = 'bike', seller = 'ben',
        arbiter = 'carl', amount = '60.00', terms = 'A red one.',
        deadline = '2026-02-01T00:00:00Z'}
    for key, value in pairs(changes or {}) do
        args[key] = value
    end
    return args
end

local BIKE = 'bank/ann/bike'

--- The same, and the deal is open.
local function dealt(t)
    local u = people(t)
    u.ann:with(u.ben):call('open', bike())
    return u
end

local function has(t, who)
    local rows = t:view('balance', {bank = 'bank', who = who})
    return rows[1] and rows[1].amount or '0.00'
end

local function settled(changes)
    local args = {deal = BIKE, bank = 'bank', buyer = 'ann', seller = 'ben',
        to_buyer = '0.00', to_seller = '60.00'}
    for key, value in pairs(changes or {}) do
        args[key] = value
    end
    return args
end

--- Nobody of these settles the deal, whichever way.
local function none_settles(t, ...)
    for _, user in ipairs({...}) do
        for _, method in ipairs({'release', 'refund'}) do
            t:refused('not_yours_to_settle', user, method, {deal = BIKE})
        end
        t:refused('not_yours_to_settle', user, 'split',
            {deal = BIKE, to_seller = '30.00'})
        t:refused('not_yours_to_settle', user, 'settled.append', settled())
    end
end

-- ---- how a deal begins ----

test.it('a deal of both takes its money in', function(t)
    local u = people(t)
    t:equal(u.ann:with(u.ben):call('open', bike()), BIKE)
    t:equal(has(t, 'ann'), '40.00')
    t:equal(t:view('open'), {{deal = BIKE, amount = '60.00', disputed = false,
        deadline = '2026-02-01T00:00:00Z'}})
    t:equal(t:get('deal', BIKE).terms, 'A red one.')
    -- Whoever of them hands it in.
    u.ben:with(u.ann):call('open', bike({name = 'bell', amount = '1.00'}))
end)

test.it('neither begins a deal alone, nor do others', function(t)
    local u = people(t)
    for _, user in ipairs({u.ann, u.ben, u.carl, u.eve, u.me,
        u.ann:with(u.carl), u.ben:with(u.eve), u.eve:with(u.me, u.carl),
        u.ann:with_root(u.me)}) do
        local said = t:refused('not_agreed', user, 'deal.append', bike())
        t:ok(said:find('both have to sign that', 1, true), said)
    end
    t:equal(has(t, 'ann'), '100.00')
end)

test.it('a party that may act for the other begins it', function(t)
    local u = people(t)
    u.ben:with(u.ann):call('open', bike({name = 'first', amount = '1.00'}))
    u.ben:call('ate.grant', {to = 'ann', rights = {'act_for'},
        act_for = 'ben', ['until'] = '2026-01-02T00:00:00Z'})
    u.ann:call('open', bike())
    t:advance('1 day')
    t:refused('not_agreed', u.ann, 'open',
        bike({name = 'late', amount = '1.00'}))
end)

test.it('nobody pays more than they have', function(t)
    local u = dealt(t)
    local said = t:refused('too_little', u.ann:with(u.ben), 'open',
        bike({name = 'car', amount = '40.01'}))
    t:ok(said:find('has 40.00', 1, true), said)
    u.ann:with(u.ben):call('open', bike({name = 'car', amount = '40.00'}))
    t:refused('too_little', u.ann:with(u.me), 'paid_out.append',
        {bank = 'bank', who = 'ann', amount = '0.01'})
end)

test.it('parties and arbiter are three', function(t)
    local u = people(t)
    for _, change in ipairs({{seller = 'ann'}, {arbiter = 'ann'},
        {arbiter = 'ben'}}) do
        t:refused('not_three', u.ann:with(u.ben), 'open', bike(change))
    end
end)

test.it('a deal has time', function(t)
    local u = people(t)
    t:refused('too_late', u.ann:with(u.ben), 'open',
        bike({deadline = '2026-01-01'}))
    t:fails('INVALID', u.ann:with(u.ben), 'open', bike({amount = '0.00'}))
end)

test.it('a name is a buyer\'s own, and used once', function(t)
    local u = dealt(t)
    t:fails('CONFLICT', u.ann:with(u.ben), 'open', bike({amount = '1.00'}))
    u.eve:with(u.ben):call('open', bike({buyer = 'eve'}))
    u.ann:with(u.ben):call('release', {deal = BIKE})
    t:fails('CONFLICT', u.ann:with(u.ben), 'open', bike({amount = '1.00'}))
end)

-- ---- how it ends ----

test.it('both release it, and both refund it', function(t)
    local u = dealt(t)
    u.ann:with(u.ben):call('release', {deal = BIKE, why = 'It is red.'})
    t:equal(has(t, 'ben'), '160.00')
    t:equal(t:view('open'), {})
    t:equal(t:list('settled')[1].why, 'It is red.')
    u.ann:with(u.ben):call('open', bike({name = 'bell', amount = '10.00'}))
    u.ben:with(u.ann):call('refund', {deal = 'bank/ann/bell'})
    t:equal(has(t, 'ann'), '40.00')
end)

test.it('both split it', function(t)
    local u = dealt(t)
    u.ben:with(u.ann):call('split', {deal = BIKE, to_seller = '59.99'})
    t:equal({has(t, 'ann'), has(t, 'ben')}, {'40.01', '159.99'})
end)

test.it('before a dispute and the deadline nobody settles it alone',
    function(t)
        local u = dealt(t)
        none_settles(t, u.ann, u.ben, u.carl, u.eve, u.me,
            u.ann:with(u.carl), u.ben:with(u.carl), u.eve:with(u.me),
            u.eve:with_root(u.me))
        t:at('2026-01-31T23:59:59Z')
        none_settles(t, u.carl)
        t:equal({has(t, 'ann'), has(t, 'ben')}, {'40.00', '100.00'})
    end)

test.it('after a dispute the arbiter decides, and no party', function(t)
    local u = dealt(t)
    u.ann:call('dispute', {deal = BIKE, why = 'It is green.'})
    t:equal(t:view('open')[1].disputed, true)
    none_settles(t, u.ann, u.ben, u.eve, u.me, u.eve:with(u.ann))
    u.carl:call('refund', {deal = BIKE, why = 'It is.'})
    t:equal({has(t, 'ann'), has(t, 'ben')}, {'100.00', '100.00'})
end)

test.it('they may still agree after a dispute', function(t)
    local u = dealt(t)
    u.ben:call('dispute', {deal = BIKE, why = 'She does not pay.'})
    u.ben:with(u.ann):call('release', {deal = BIKE})
    t:equal(has(t, 'ben'), '160.00')
    t:fails('CONFLICT', u.carl, 'refund', {deal = BIKE})
end)

test.it('after the deadline the arbiter decides, and no party', function(t)
    local u = dealt(t)
    t:at('2026-02-01T00:00:00Z')
    none_settles(t, u.ann, u.ben, u.eve, u.me)
    u.carl:call('split', {deal = BIKE, to_seller = '20.00'})
    t:equal({has(t, 'ann'), has(t, 'ben')}, {'80.00', '120.00'})
end)

test.it('a dispute of one deal opens no other', function(t)
    local u = dealt(t)
    u.ann:with(u.ben):call('open', bike({name = 'bell', amount = '1.00'}))
    u.ann:call('dispute', {deal = 'bank/ann/bell', why = 'It is silent.'})
    none_settles(t, u.carl)
    -- Nor is the arbiter of one that of another.
    u.eve:with(u.ben):call('open', bike({buyer = 'eve', arbiter = 'me'}))
    u.eve:call('dispute', {deal = 'bank/eve/bike', why = 'It is green.'})
    t:refused('not_yours_to_settle', u.carl, 'release',
        {deal = 'bank/eve/bike'})
end)

test.it('only its parties dispute a deal, once, before it is settled',
    function(t)
        local u = dealt(t)
        for _, user in ipairs({u.carl, u.eve, u.me, u.carl:with(u.eve)}) do
            t:refused('not_your_deal', user, 'dispute',
                {deal = BIKE, why = 'I want it.'})
        end
        u.ann:call('dispute', {deal = BIKE, why = 'It is green.'})
        t:fails('CONFLICT', u.ben, 'dispute', {deal = BIKE, why = 'It is not.'})
        u.ann:with(u.ben):call('open', bike({name = 'bell', amount = '1.00'}))
        u.ann:with(u.ben):call('release', {deal = 'bank/ann/bell'})
        local said = t:refused('settled_before', u.ann, 'dispute',
            {deal = 'bank/ann/bell', why = 'It is silent.'})
        t:ok(said:find('bank/ann/bell is settled', 1, true), said)
    end)

test.it('a deal is settled once', function(t)
    local u = dealt(t)
    local both = u.ann:with(u.ben)
    both:call('release', {deal = BIKE})
    t:fails('CONFLICT', both, 'release', {deal = BIKE})
    t:fails('CONFLICT', both, 'refund', {deal = BIKE})
    t:advance('60 days')
    t:fails('CONFLICT', u.carl, 'refund', {deal = BIKE})
    t:equal({has(t, 'ann'), has(t, 'ben')}, {'40.00', '160.00'})
end)

test.it('what is settled is what was agreed', function(t)
    local u = dealt(t)
    local both = u.ann:with(u.ben)
    u.me:call('bank.create', {name = 'other', owner = 'me'})
    for _, change in ipairs({{to_seller = '60.01'}, {to_buyer = '0.01'},
        {to_seller = '0.00'}, {to_buyer = '60.00'}, {buyer = 'eve'},
        {seller = 'eve'}, {seller = 'carl'}, {bank = 'other'}}) do
        local said = t:refused('not_of_the_deal', both, 'settled.append',
            settled(change))
        t:ok(said:find('says otherwise', 1, true), said)
    end
    t:fails('INVALID', both, 'split', {deal = BIKE, to_seller = '60.01'})
    t:fails('INVALID', both, 'split', {deal = BIKE, to_seller = '-0.01'})
    t:advance('60 days')
    t:refused('not_of_the_deal', u.carl, 'settled.append',
        settled({seller = 'carl'}))
end)

-- ---- money in and out ----

test.it('a bank is its owner\'s', function(t)
    local u = people(t)
    t:refused('not_your_name', u.eve, 'bank.create',
        {name = 'other', owner = 'me'})
    for _, method in ipairs({'paid_in.append', 'paid_out.append'}) do
        t:refused('not_your_bank', u.eve, method,
            {bank = 'bank', who = 'eve', amount = '1.00'})
    end
    u.eve:call('bank.create', {name = 'other', owner = 'eve'})
    t:refused('not_your_bank', u.me, 'paid_in.append',
        {bank = 'other', who = 'me', amount = '1.00'}) -- root key or not
    t:fails('DENIED', u.me, 'bank.put', {name = 'bank', owner = 'me'})
end)

test.it('what is paid out both sign', function(t)
    local u = people(t)
    local args = {bank = 'bank', who = 'ann', amount = '30.00'}
    local said = t:refused('not_their_word', u.me, 'paid_out.append', args)
    t:ok(said:find('has to sign that, too', 1, true), said)
    t:refused('not_your_bank', u.ann, 'paid_out.append', args)
    u.me:with(u.ann):call('paid_out.append', args)
    t:equal(has(t, 'ann'), '70.00')
end)

test.it('the money of one bank pays in no other', function(t)
    local u = people(t)
    u.me:call('bank.create', {name = 'other', owner = 'me'})
    t:refused('too_little', u.ann:with(u.ben), 'open', bike({bank = 'other'}))
end)

test.it('a bank owes no more than can be counted', function(t)
    local u = people(t)
    local said = t:refused('too_much', u.me, 'paid_in.append',
        {bank = 'bank', who = 'ann', amount = '99999999700.01'})
    t:ok(said:find('bank may be paid 99999999700.00 more', 1, true), said)
    u.me:call('paid_in.append',
        {bank = 'bank', who = 'ann', amount = '99999999700.00'})
end)

test.it('all that is in a bank stays in it', function(t)
    local u = dealt(t)
    u.eve:with(u.ben):call('open', bike({buyer = 'eve'}))
    u.eve:with(u.ben):call('split',
        {deal = 'bank/eve/bike', to_seller = '12.34'})
    u.me:with(u.ben):call('paid_out.append',
        {bank = 'bank', who = 'ben', amount = '112.34'})
    t:equal(t:view('total'), {{bank = 'bank', amount = '187.66'}})
    t:equal({t:sum('balance', 'amount'), t:view('open')[1].amount},
        {'127.66', '60.00'})
end)

-- As `ate chain create` makes chains: only those write whom the root key let.
test.schema('escrow.lua',
    {accept = {'trust-delegation', 'serializer', 'structured-logic'}})

test.it('on a chain of its own one grant lets somebody take part', function(t)
    local u = people(t)
    t:fails('DENIED', u.ann:with(u.ben), 'open', bike())
    for _, name in ipairs({'ann', 'carl'}) do
        u.me:call('ate.grant',
            {to = name, rights = {'create'}, object = 'bank/bank'})
    end
    -- It is enough that one of those who sign may write.
    u.ann:with(u.ben):call('open', bike())
    u.ann:call('dispute', {deal = BIKE, why = 'It is green.'})
    none_settles(t, u.ann, u.me, u.ann:with_root(u.me))
    u.carl:call('refund', {deal = BIKE})
    t:equal(has(t, 'ann'), '100.00')
    t:fails('DENIED', u.ann, 'bank.create', {name = 'other', owner = 'ann'})
end)
