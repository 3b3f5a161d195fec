local test = require('ate.test')
test.schema('bank.lua')

--- Alice, Bob and Carol with an account each, of the same name.
local function neighbours(t)
    local people = {}
    for i, name in ipairs({'alice', 'bob', 'carol'}) do
        people[i] = t:user(name)
        people[i]:call('account.put', {name = name, owner = name})
    end
    return unpack(people)
end

local function pay(from, to, amount)
    return {from = from, to = to, amount = amount}
end

test.it('money moves, and none is made', function(t)
    local alice, bob, carol = neighbours(t)
    alice:call('transfer', pay('alice', 'bob', '12.50'))
    bob:call('transfer', pay('bob', 'carol', '20.00'))
    carol:call('transfer', pay('carol', 'alice', '0.01'))
    t:equal(t:view('balance'), {
        {account = 'alice', amount = '-12.49'},
        {account = 'bob', amount = '-7.50'},
        {account = 'carol', amount = '19.99'},
    })
    t:equal(t:sum('balance', 'amount'), '0.00')
    t:equal(#t:list('transfer'), 3)
end)

test.it('only its owner takes money out of an account', function(t)
    local alice, bob = neighbours(t)
    local said = t:refused('not_owner', bob, 'transfer',
        pay('alice', 'bob', '1.00'))
    t:ok(said:find('alice is not yours', 1, true), said)
    -- A rule asks whoever writes, also past the method.
    t:refused('not_owner', bob, 'transfer.append', pay('alice', 'bob', '1'))
    alice:call('transfer', pay('alice', 'bob', '1.00'))
    t:equal(t:view('balance', {account = 'bob'}),
        {{account = 'bob', amount = '1.00'}})
end)

test.it('nobody owes more than 100.00', function(t)
    local alice, bob = neighbours(t)
    alice:call('transfer', pay('alice', 'bob', '60.00'))
    local said = t:refused('too_deep', alice, 'transfer',
        pay('alice', 'carol', '40.01'))
    t:ok(said:find('alice would hold -100.01', 1, true), said)
    alice:call('transfer', pay('alice', 'carol', '40.00'))
    t:refused('too_deep', alice, 'transfer', pay('alice', 'bob', '0.01'))
    -- What was got can be spent.
    bob:call('transfer', pay('bob', 'alice', '0.01'))
    alice:call('transfer', pay('alice', 'bob', '0.01'))
end)

test.it('an amount is money, and some of it', function(t)
    local alice = neighbours(t)
    for _, amount in ipairs({'0.00', '-1.00', '0.001', 'much', ''}) do
        t:fails('INVALID', alice, 'transfer', pay('alice', 'bob', amount))
    end
    t:fails('NOT_FOUND', alice, 'transfer', pay('alice', 'nobody', '1.00'))
end)

test.it('an account keeps its owner', function(t)
    local _, bob = neighbours(t)
    t:fails('DENIED', bob, 'account.put', {name = 'alice', owner = 'bob'})
    t:fails('NOT_FOUND', bob, 'account.delete', {name = 'alice'})
    t:equal(t:get('account', 'alice').owner, 'alice')
end)
