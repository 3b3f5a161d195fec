local test = require('ate.test')
test.schema('wallet.lua')

--- Me, who issue gold, of which ann has 100; ben and eve have none.
local function people(t)
    local me = t:user('me')
    local ann, ben, eve = t:user('ann'), t:user('ben'), t:user('eve')
    me:call('coin.create', {name = 'gold', issuer = 'me', most = 1000})
    me:call('mint', {coin = 'gold', to = 'ann', amount = 100})
    return ann, ben, eve, me
end

local function rent(changes)
    local args = {coin = 'gold', name = 'rent', to = 'ben', amount = 60}
    for key, value in pairs(changes or {}) do
        args[key] = value
    end
    return args
end

local function holds(t, who)
    local rows = t:view('balance', {coin = 'gold', holder = who})
    return rows[1] and rows[1].amount or 0
end

--- Coins that are held and those that wait; they stay as many.
local function all(t)
    local sum = t:sum('balance', 'amount')
    for _, row in ipairs(t:view('waiting')) do
        sum = sum + row.amount
    end
    return sum
end

local OFFER = 'gold/ann/rent'

--- What `settled.append` takes.
local function settled(how, changes)
    local args = {offer = OFFER, how = how, coin = 'gold', from = 'ann',
        to = 'ben', amount = 60}
    for key, value in pairs(changes or {}) do
        args[key] = value
    end
    return args
end

test.it('coins go in two steps', function(t)
    local ann, ben = people(t)
    t:equal(ann:call('offer', rent({note = 'March'})), OFFER)
    t:equal({holds(t, 'ann'), holds(t, 'ben'), all(t)}, {40, 0, 100})
    t:equal(t:view('waiting', {to = 'ben'}), {{to = 'ben', offer = OFFER,
        from = 'ann', amount = 60, expires = '2026-01-08T00:00:00Z'}})
    t:equal(t:get('offer', OFFER).note, 'March')
    ben:call('accept', {offer = OFFER})
    t:equal({holds(t, 'ann'), holds(t, 'ben'), all(t)}, {40, 60, 100})
    t:equal(t:view('waiting'), {})
end)

test.it('coins that are offered are not offered again', function(t)
    local ann = people(t)
    ann:call('offer', rent())
    local said = t:refused('too_little', ann, 'offer',
        rent({name = 'food', amount = 41}))
    t:ok(said:find('holds 40 of gold', 1, true), said)
    ann:call('offer', rent({name = 'food', amount = 40}))
    t:refused('too_little', ann, 'offer', rent({name = 'more', amount = 1}))
    t:fails('CONFLICT', ann, 'offer', rent({amount = 1}))
    t:equal(all(t), 100)
end)

test.it('nobody offers the coins of others', function(t)
    local _, ben, eve, me = people(t)
    for _, user in ipairs({ben, eve, me}) do
        local said = t:refused('not_yours', user, 'offer.append',
            rent({from = 'ann', expires = '2026-01-02'}))
        t:ok(said:find('these are coins of ', 1, true), said)
    end
    t:refused('too_little', eve, 'offer', rent())
    t:fails('DENIED', eve:acting_for(t:user('ann')), 'offer', rent())
end)

test.it('who may act for the holder offers, and with the holder', function(t)
    local ann, ben, eve = people(t)
    ben:with(ann):call('offer.append',
        rent({from = 'ann', name = 'both', amount = 1,
            expires = '2026-01-02'}))
    ann:call('offer', rent({name = 'first', amount = 1}))
    ann:call('ate.grant', {to = 'ben', rights = {'act_for'}, act_for = 'ann',
        ['until'] = '2026-01-02T00:00:00Z'})
    t:equal(ben:acting_for(ann):call('offer', rent({to = 'eve'})), OFFER)
    eve:call('accept', {offer = OFFER})
    t:equal(holds(t, 'eve'), 60)
    t:advance('1 day')
    t:fails('DENIED', ben:acting_for(ann), 'offer', rent({name = 'late'}))
end)

test.it('only who it is for accepts an offer', function(t)
    local ann, ben, eve, me = people(t)
    ann:call('offer', rent())
    for _, user in ipairs({ann, eve, me}) do
        t:refused('not_yours_to_accept', user, 'accept', {offer = OFFER})
    end
    ben:call('accept', {offer = OFFER})
end)

test.it('an offer is settled once', function(t)
    local ann, ben = people(t)
    ann:call('offer', rent())
    ben:call('accept', {offer = OFFER})
    t:fails('CONFLICT', ben, 'accept', {offer = OFFER})
    t:fails('CONFLICT', ben, 'cancel', {offer = OFFER})
    t:fails('CONFLICT', ann, 'settled.append', settled('returned'))
    t:equal({holds(t, 'ann'), holds(t, 'ben')}, {40, 60})
    -- The name is not free again: who saw it settled means this one.
    t:fails('CONFLICT', ann, 'offer', rent({amount = 1}))
end)

test.it('either side cancels', function(t)
    local ann, ben, eve, me = people(t)
    ann:call('offer', rent())
    for _, user in ipairs({eve, me}) do
        local said = t:refused('not_yours_to_return', user, 'cancel',
            {offer = OFFER})
        t:ok(said:find('or at 2026-01-08', 1, true), said)
    end
    ann:call('cancel', {offer = OFFER})
    ann:call('offer', rent({name = 'again'}))
    ben:call('cancel', {offer = 'gold/ann/again'})
    t:equal({holds(t, 'ann'), holds(t, 'ben'), all(t)}, {100, 0, 100})
    t:equal(t:view('waiting'), {})
end)

test.it('an offer expires by the time of the log', function(t)
    local ann, ben, eve = people(t)
    ann:call('offer', rent({expires = '2026-01-03T00:00:00Z'}))
    ann:call('offer', rent({name = 'now', amount = 1,
        expires = '2026-01-03T00:00:00Z'}))
    t:at('2026-01-02T23:59:59Z')
    t:refused('not_yours_to_return', eve, 'cancel', {offer = OFFER})
    ben:call('accept', {offer = 'gold/ann/now'})
    t:at('2026-01-03T00:00:00Z')
    t:refused('not_yours_to_accept', ben, 'accept', {offer = OFFER})
    eve:call('cancel', {offer = OFFER}) -- anybody: nobody has to wait for ann
    t:equal({holds(t, 'ann'), holds(t, 'ben'), all(t)}, {99, 1, 100})
end)

test.it('an offer is open for a while', function(t)
    local ann = people(t)
    t:at('2026-01-05')
    t:refused('expires_at_once', ann, 'offer', rent({expires = '2026-01-05'}))
    t:refused('expires_at_once', ann, 'offer', rent({expires = '2026-01-01'}))
end)

test.it('what is settled is what was offered', function(t)
    local ann, ben, eve, me = people(t)
    me:call('coin.create', {name = 'lead', issuer = 'me', most = 1000})
    ann:call('offer', rent())
    for _, change in ipairs({{amount = 61}, {amount = 1}, {to = 'eve'},
        {from = 'ben'}, {coin = 'lead'}}) do
        local said = t:refused('not_as_offered', ben, 'settled.append',
            settled('accepted', change))
        t:ok(said:find('says otherwise', 1, true), said)
        t:refused('not_as_offered', ann, 'settled.append',
            settled('returned', change))
    end
    t:refused('not_as_offered', eve, 'settled.append',
        settled('accepted', {to = 'eve'}))
    t:fails('INVALID', ben, 'settled.append', settled('kept'))
    t:equal(all(t), 100)
end)

test.it('coins are made by their issuer, and no more than was said',
    function(t)
        local ann, ben, eve, me = people(t)
        t:refused('may_not_mint', ann, 'mint',
            {coin = 'gold', to = 'ann', amount = 1})
        t:refused('may_not_mint', eve, 'minted.append',
            {coin = 'gold', to = 'eve', amount = 1})
        local said = t:refused('too_many', me, 'mint',
            {coin = 'gold', to = 'me', amount = 901})
        t:ok(said:find('there may be 900 more of gold', 1, true), said)
        me:call('mint', {coin = 'gold', to = 'me', amount = 900})
        t:refused('too_many', me, 'mint',
            {coin = 'gold', to = 'me', amount = 1})
        t:equal(t:view('supply'), {{coin = 'gold', amount = 1000}})
        ben:call('coin.create', {name = 'tea', issuer = 'ben', most = 5})
        ben:call('mint', {coin = 'tea', to = 'ann', amount = 5})
    end)

test.it('not even the chain\'s root key makes coins of others', function(t)
    local ann, ben, _, me = people(t)
    ben:call('coin.create', {name = 'tea', issuer = 'ben', most = 5})
    for _, user in ipairs({me, ann, ann:with_root(me)}) do
        t:refused('may_not_mint', user, 'mint',
            {coin = 'tea', to = 'ann', amount = 1})
    end
end)

test.it('who may act for the issuer at a coin makes it, and no other',
    function(t)
        local ann, _, _, me = people(t)
        me:call('coin.create', {name = 'lead', issuer = 'me', most = 9})
        local grant = me:call('ate.grant', {to = 'ann', rights = {'act_for'},
            act_for = 'me', object = 'coin/gold'})
        ann:call('mint', {coin = 'gold', to = 'ann', amount = 1})
        t:refused('may_not_mint', ann, 'mint',
            {coin = 'lead', to = 'ann', amount = 1})
        me:call('ate.revoke', {grant = grant})
        t:refused('may_not_mint', ann, 'mint',
            {coin = 'gold', to = 'ann', amount = 1})
    end)

test.it('a kind of coins stays what it is', function(t)
    local ann, _, eve, me = people(t)
    t:refused('not_your_name', eve, 'coin.create',
        {name = 'silver', issuer = 'me', most = 1})
    t:fails('CONFLICT', eve, 'coin.create',
        {name = 'gold', issuer = 'eve', most = 1})
    t:fails('DENIED', me, 'coin.put',
        {name = 'gold', issuer = 'me', most = 1000})
    t:fails('INVALID', ann, 'offer', rent({amount = 0}))
    t:fails('INVALID', ann, 'offer', rent({amount = -1}))
    t:fails('INVALID', ann, 'offer', rent({amount = 0.5}))
end)

test.it('who offers to themselves gains nothing', function(t)
    local ann = people(t)
    ann:call('offer', rent({to = 'ann'}))
    ann:call('accept', {offer = OFFER})
    t:equal({holds(t, 'ann'), all(t)}, {100, 100})
end)

test.it('names of offers are their senders\' own', function(t)
    local ann, ben, _, me = people(t)
    me:call('mint', {coin = 'gold', to = 'ben', amount = 1})
    ben:call('offer', rent({to = 'ann', amount = 1}))
    ann:call('offer', rent())
    ann:call('accept', {offer = 'gold/ben/rent'})
    ben:call('accept', {offer = OFFER})
    t:equal({holds(t, 'ann'), holds(t, 'ben')}, {41, 60})
end)

-- As `ate chain create` makes chains: only those write whom the root key let.
test.schema('wallet.lua',
    {accept = {'trust-delegation', 'serializer', 'structured-logic'}})

test.it('on a chain of its own one grant lets somebody take part', function(t)
    local ann, ben, eve, me = people(t)
    t:fails('DENIED', ann, 'offer', rent())
    for _, name in ipairs({'ann', 'ben'}) do
        me:call('ate.grant',
            {to = name, rights = {'create'}, object = 'coin/gold'})
    end
    ann:call('offer', rent({to = 'eve'}))
    t:fails('DENIED', eve, 'accept', {offer = OFFER})
    t:refused('not_yours_to_accept', ben, 'accept', {offer = OFFER})
    ann:call('cancel', {offer = OFFER})
    ann:call('offer', rent({name = 'two'}))
    ben:call('accept', {offer = 'gold/ann/two'})
    t:fails('DENIED', ann, 'coin.create',
        {name = 'silver', issuer = 'ann', most = 1})
    t:equal({holds(t, 'ann'), holds(t, 'ben')}, {40, 60})
end)
