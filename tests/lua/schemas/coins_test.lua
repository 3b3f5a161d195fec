local test = require('ate.test')
test.schema('coins.lua')

--- A mint of `me`, wallets of ann (with 10.00) and ben.
local function wallets(t)
    local me, ann, ben = t:user('me'), t:user('ann'), t:user('ben')
    me:call('mint.create', {name = 'royal'})
    ann:call('wallet.create', {name = 'ann', owner = 'ann'})
    ben:call('wallet.create', {name = 'ben', owner = 'ben'})
    me:call('minted.append', {mint = 'royal', to = 'ann', amount = '10.00'})
    return me, ann, ben
end

local function move(from, to, amount)
    return {from = from, to = to, amount = amount}
end

local function hold(name, amount, guard)
    return {name = name, from = 'ann', amount = amount, guard = guard}
end

test.it('coins are made by those who may mint', function(t)
    local me, ann = wallets(t)
    t:refused('may_mint', ann, 'minted.append',
        {mint = 'royal', to = 'ann', amount = '1000.00'})
    me:call('minted.append', {mint = 'royal', to = 'ben', amount = '0.01'})
    t:equal(t:view('balance'), {{wallet = 'ann', amount = '10.00'},
        {wallet = 'ben', amount = '0.01'}})
    t:fails('INVALID', me, 'minted.append',
        {mint = 'royal', to = 'ben', amount = '0.00'})
end)

test.it('the right to mint is given and taken back', function(t)
    local me, ann = wallets(t)
    local coin = {mint = 'royal', to = 'ann', amount = '1.00'}
    local grant = me:call('ate.grant',
        {to = 'ann', rights = {'mint'}, object = 'mint/royal'})
    ann:call('minted.append', coin)
    me:call('ate.revoke', {grant = grant})
    t:refused('may_mint', ann, 'minted.append', coin)
    t:equal(t:sum('balance', 'amount'), '11.00')
end)

test.it('coins move and stay as many', function(t)
    local _, ann, ben = wallets(t)
    ann:call('move', move('ann', 'ben', '2.50'))
    ben:call('move', move('ben', 'ann', '0.50'))
    t:equal(t:view('balance'), {{wallet = 'ann', amount = '8.00'},
        {wallet = 'ben', amount = '2.00'}})
    t:equal(t:sum('balance', 'amount'), '10.00')
    local args = move('ann', 'ben', '1.00')
    args.note = 'for tea'
    t:equal(t:get('moved', ann:call('move', args)).note, 'for tea')
end)

test.it('only its owner takes coins out of a wallet', function(t)
    local me, _, ben = wallets(t)
    local said = t:refused('not_owner', ben, 'move', move('ann', 'ben', '1.00'))
    t:ok(said:find(' does not own ann', 1, true), said)
    t:refused('not_owner', me, 'moved.append', move('ann', 'ben', '1.00'))
    t:refused('not_owner', ben, 'held.append', hold('x', '1.00', 'coins.freed'))
end)

test.it('who may act for the owner takes coins out, too', function(t)
    local _, ann, ben = wallets(t)
    t:refused('not_owner', ben, 'move', move('ann', 'ben', '1.00'))
    ann:call('ate.grant', {to = 'ben', rights = {'act_for'}, act_for = 'ann',
        ['until'] = '2026-01-02T00:00:00Z'})
    ben:call('move', move('ann', 'ben', '1.00'))
    t:advance('1 day')
    t:refused('not_owner', ben, 'move', move('ann', 'ben', '1.00'))
end)

test.it('a wallet never goes below zero', function(t)
    local _, ann, ben = wallets(t)
    local said = t:refused('too_little', ann, 'move',
        move('ann', 'ben', '10.01'))
    t:ok(said:find('ann holds 10.00, 10.01 wanted', 1, true), said)
    t:refused('too_little', ann, 'held.append',
        hold('x', '10.01', 'coins.freed'))
    t:refused('too_little', ben, 'move', move('ben', 'ann', '0.01'))
    ann:call('move', move('ann', 'ben', '10.00'))
    t:refused('too_little', ann, 'move', move('ann', 'ben', '0.01'))
end)

test.it('a wallet may pay itself, and no more than it has', function(t)
    local _, ann = wallets(t)
    ann:call('move', move('ann', 'ann', '10.00'))
    t:refused('too_little', ann, 'move', move('ann', 'ann', '10.01'))
    t:equal(t:view('balance'), {{wallet = 'ann', amount = '10.00'}})
end)

test.it('held coins are nobody\'s until they are freed', function(t)
    local _, ann, ben = wallets(t)
    ann:call('held.append', hold('bet', '4.00', 'coins.minted'))
    t:equal(t:view('balance', {wallet = 'ann'}),
        {{wallet = 'ann', amount = '6.00'}})
    t:refused('too_little', ann, 'move', move('ann', 'ben', '6.01'))
    -- There is no event of the guard in the transaction.
    local freed = {held = 'ann/bet', to = 'ben', amount = '4.00'}
    local said = t:refused('not_freed', ben, 'freed.append', freed)
    t:ok(said:find('no coins.minted frees ann/bet for ben', 1, true), said)
    t:fails('CONFLICT', ann, 'held.append', hold('bet', '1.00', 'coins.moved'))
    t:fails('INVALID', ann, 'held.append', hold('b', '1.00', 'coins.nothing'))
end)

-- `freed` is the one type of this chain with fields that name a hold and a
-- wallet: whoever says it is the guard lets everybody free the coins.
test.it('coins are freed as their guard says, once', function(t)
    local _, ann, ben = wallets(t)
    ann:call('held.append', hold('gift', '4.00', 'coins.freed'))
    t:refused('not_freed', ben, 'freed.append',
        {held = 'ann/gift', to = 'ben', amount = '4.01'})
    ben:call('freed.append', {held = 'ann/gift', to = 'ben', amount = '4.00'})
    t:equal(t:view('balance'), {{wallet = 'ann', amount = '6.00'},
        {wallet = 'ben', amount = '4.00'}})
    t:fails('CONFLICT', ben, 'freed.append',
        {held = 'ann/gift', to = 'ben', amount = '4.00'})
    t:equal(t:sum('balance', 'amount'), '10.00')
end)

test.it('a wallet with coins is not deleted', function(t)
    local _, ann, ben = wallets(t)
    t:refused('wallet_in_use', ann, 'wallet.delete', {name = 'ann'})
    ann:call('move', move('ann', 'ben', '10.00'))
    ann:call('wallet.delete', {name = 'ann'})
    t:equal(t:get('wallet', 'ann'), nil)
    t:fails('NOT_FOUND', ben, 'move', move('ben', 'ann', '1.00'))
    t:fails('CONFLICT', ann, 'wallet.create', {name = 'ann', owner = 'ann'})
end)

test.it('nor is one whose coins are held', function(t)
    local _, ann, ben = wallets(t)
    ann:call('held.append', hold('gift', '4.00', 'coins.freed'))
    ann:call('held.append', hold('rest', '6.00', 'coins.freed'))
    t:refused('wallet_in_use', ann, 'wallet.delete', {name = 'ann'})
    ben:call('freed.append', {held = 'ann/gift', to = 'ben', amount = '4.00'})
    t:refused('wallet_in_use', ann, 'wallet.delete', {name = 'ann'})
    ben:call('freed.append', {held = 'ann/rest', to = 'ben', amount = '6.00'})
    ann:call('wallet.delete', {name = 'ann'})
end)

test.it('a wallet keeps its owner', function(t)
    local _, ann, ben = wallets(t)
    t:fails('INVALID', ben, 'wallet.put', {name = 'ann', owner = 'ben'})
    ann:call('wallet.put', {name = 'ann', owner = 'ann'})
    t:equal(#t:history('wallet', 'ann'), 2)
end)
