--- Tests of bank.lua: run them with `ate test`.
---@diagnostic disable: undefined-global -- all of Lua is here, unlike there
local test = require('ate.test')
test.schema('bank.lua')

--- Two neighbours, each with an account.
local function neighbours(t)
    local alice, bob = t:user('alice'), t:user('bob')
    alice:call('account.put', {name = 'alice', owner = 'alice'})
    bob:call('account.put', {name = 'bob', owner = 'bob'})
    return alice, bob
end

test.it('money moves', function(t)
    local alice = neighbours(t)
    alice:call('transfer', {from = 'alice', to = 'bob', amount = '12.50'})
    t:equal(t:view('balance'), {
        {account = 'alice', amount = '-12.50'},
        {account = 'bob', amount = '12.50'},
    })
end)

test.it('nobody takes the money of others', function(t)
    local _, bob = neighbours(t)
    t:refused('not_owner', bob, 'transfer',
        {from = 'alice', to = 'bob', amount = '1.00'})
end)

test.it('nobody owes more than 100.00', function(t)
    local alice = neighbours(t)
    alice:call('transfer', {from = 'alice', to = 'bob', amount = '100.00'})
    t:advance('2 days')
    t:refused('too_deep', alice, 'transfer',
        {from = 'alice', to = 'bob', amount = '0.01'})
    t:equal(t:view('balance', {account = 'bob'}),
        {{account = 'bob', amount = '100.00'}})
end)
