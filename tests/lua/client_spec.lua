--- Folders, chains, streams and tasks, as scripts have them.
local ate = require('ate')

local folder, bank

before_each(function()
    folder = assert(ate.open({memory = true}))
    bank = assert(folder:create('bank', 'examples/bank/bank.lua',
        {accept = {'accept-all', 'serializer', 'structured-logic'}}))
    assert(bank.account.put({name = 'alice', owner = 'me'}))
    assert(bank.account.put({name = 'bob', owner = 'me'}))
end)

after_each(function()
    folder:close()
    folder:close()
end)

local function pay(amount)
    return bank:transfer({from = 'alice', to = 'bob', amount = amount})
end

describe('a chain', function()
    it('calls methods by any of their names', function()
        assert.is_number(assert(pay('1.00')).index)
        assert.is_number(assert(bank.transfer({from = 'alice', to = 'bob',
            amount = 2})).index)
        assert.is_number(assert(bank:call('transfer', {from = 'alice',
            to = 'bob', amount = 3})).index)
        assert.is_number(assert(bank.account:put({name = 'eve',
            owner = 'me'})).index)
        assert.equal('6.00', bank:view('balance', {account = 'bob'})[1].amount)
        assert.equal('0.00', bank:sum('balance', 'amount'))
        assert.equal('alice', bank:get('account', 'alice').name)
        assert.equal(2, #bank:list('account', {limit = 2}))
        assert.equal('eve', bank:list('account', {order = 'last'})[1].name)
        assert.equal(3, #bank.account.list({}))
        assert.equal(0, #bank:history('account', 'eve', {limit = 0}))
        assert.equal('bank', bank:info().name)
        assert.equal('bank', bank:schema().main)
        assert.equal(1, #folder:chains())
        assert.equal('chain bank', tostring(bank))
        assert.equal('method account.put of bank', tostring(bank.account.put))
        assert.equal('data folder in memory', tostring(folder))
    end)

    it('pages through the versions of an object', function()
        local texts = assert(folder:create('texts', 'ate:key_value'))
        for i = 1, 3 do
            assert(texts.pair.put({key = 'a', value = 'text ' .. i}))
        end
        local all = texts:history('pair', 'a')
        assert.equal(3, #all)
        assert.same({all[2]}, texts:history('pair', 'a',
            {after = all[1]._.at, limit = 1}))
    end)

    it('names the method once', function()
        local _, err = bank:call('ate.put', {id = ate.bin('ab')})
        assert.equal("bank ate.put: 'id' has to be 16 bytes, or 32 "
            .. 'hexadecimal digits', err.text)
        _, err = bank:call('account.put', {owner = 'me'})
        assert.matches('^bank account%.put: name: is missing', err.text)
    end)

    it('gives nil and what was wrong', function()
        local value, err = pay('500')
        assert.is_nil(value)
        assert.equal('REFUSED', err.code)
        assert.equal('too_deep', err.rule)
        assert.equal(6, err.exit)
        assert.matches('^bank transfer: too_deep: ', tostring(err))
        value, err = bank:get('account', 'carol')
        assert.is_nil(value)
        assert.equal('NOT_FOUND', err.code)
        value, err = folder:chain('bnk'):info()
        assert.is_nil(value)
        assert.matches("did you mean 'bank'", err.text)
        value, err = bank:no_method({})
        assert.is_nil(value)
        assert.matches("no method 'no_method'", err.text)
    end)

    it('takes no options that it does not know', function()
        assert.has_error(function()
            bank:list('account', {limt = 1})
        end)
        assert.has_error(function()
            bank:view('balance', nil, {from = 1}) -- that follows
        end)
        assert.has_error(function()
            ate.open({dta = 'x'})
        end)
        assert.has_error(function()
            ate.open({read_only = 'yes'})
        end)
    end)

    -- A mistake of the script is told at its line, not at one of ours.
    it('takes tables and names where they belong', function()
        local function told(run)
            local ok, text = pcall(run)
            assert.is_false(ok)
            return (text:gsub('^tests/lua/client_spec.lua:%d+: ', 'HERE: '))
        end
        assert.equal('HERE: transfer takes a table of arguments, not a string',
            told(function() local _ = bank:transfer('x') end))
        assert.equal('HERE: account.put takes a table of arguments, not a '
            .. 'string', told(function()
                local _ = bank.account.put('n', 'x')
            end))
        assert.equal("HERE: options are a table such as {as = 'bob'}, not a "
            .. 'string', told(function() local _ = bank:transfer({}, 'x') end))
        assert.equal('HERE: no option "limt" here', told(function()
            local _ = bank:list('account', {limt = 1})
        end))
        assert.equal("HERE: get takes the name of a type, not a table; a "
            .. "method that is called get is call('get', {...})",
            told(function() local _ = bank:get({key = 'a'}) end))
        assert.equal('HERE: view is called with a colon: CHAIN:view(...)',
            told(function() local _ = bank.view('balance') end))
        assert.equal('HERE: call is called with a colon: CHAIN:call(...)',
            told(function() local _ = bank.call('transfer', {}) end))
        assert.equal('HERE: no read "vew"; did you mean "view"?',
            told(function() local _ = bank:each('vew') end))
    end)

    it('does a call once, whoever repeats it', function()
        local id = ('x'):rep(16)
        local args = {from = 'alice', to = 'bob', amount = '1.00'}
        local first = assert(bank:call('transfer', args, {call_id = id}))
        local second = assert(bank:call('transfer', args, {call_id = id}))
        assert.equal(first.index, second.index)
    end)

    it('keeps deadlines', function()
        local size = bank:read('info').size
        local ok, err = pcall(function()
            for _ in bank:follow('tail', {from = size, deadline_ms = 20}) do
                error('nothing was written')
            end
        end)
        assert.is_false(ok)
        assert.equal('CANCELED', err.code)
        assert.matches('deadline of 20 ms', err.text)
    end)
end)

describe('a stream', function()
    it('gives rows one by one', function()
        local names = {}
        for row in bank:each('list', 'account') do
            names[#names + 1] = row.name
        end
        assert.same({'alice', 'bob'}, names)
        local stream = bank:each('view', 'balance')
        assert.is_nil(stream:next())
        assert.is_nil(stream:next())
    end)

    it('follows, and goes on from its position', function()
        pay('1.00')
        local stream = bank:follow('view', 'balance')
        local bob -- rows stand in the order of ids, which differs
        local function take()
            local change = stream:next()
            bob = change.put.account == 'bob' and change.put.amount or bob
            return change
        end
        take()
        assert.is_nil(stream.position) -- half of it was taken
        local change = take()
        assert.equal('1.00', bob)
        assert.equal(change.at, stream.position)
        pay('2.00')
        take()
        take()
        assert.equal('3.00', bob)
        local position = stream.position
        stream:close()
        stream:close()
        assert.is_nil(stream:next())
        pay('4.00')
        stream = bank:follow('view', 'balance', nil, {from = position})
        take()
        take()
        assert.equal('7.00', bob)
        assert.is_true(stream.position > position)
        stream:close()
    end)

    it('follows objects, lists, methods and the tail', function()
        local object = bank:follow('get', 'account', 'alice')
        assert.equal('alice', object:next().value.name)
        local list = bank:follow('list', 'account')
        assert.equal('alice', list:next().put.name)
        assert.equal('bob', list:next().put.name)
        local method = bank:follow('call', 'account.get', {name = 'bob'})
        assert.equal('bob', method:next().value.name)
        local tail = bank:follow('tail', {from = 2})
        local tx = tail:next()
        assert.equal(2, tx.index)
        assert.equal(3, tx.at)
        bank.account.put({name = 'eve', owner = 'me'})
        assert.equal('eve', list:next().put.name)
        for _, stream in ipairs({object, list, method, tail}) do
            stream:close()
        end
    end)

    it('raises what ended it', function()
        local ok, err = pcall(function()
            for _ in bank:follow('view', 'blance') do end
        end)
        assert.is_false(ok)
        assert.equal('NOT_FOUND', err.code)
    end)

    -- What nobody holds any more is ended, or each `break` would cost a call.
    it('ends when it is dropped', function()
        for _ = 1, 20 do
            local stream = bank:follow('list', 'account')
            assert.equal('alice', stream:next().put.name)
        end
        local session = folder.session
        for _ = 1, 100 do
            collectgarbage()
            session:step(0)
        end
        while session.under_way > 0 do
            collectgarbage()
            assert.is_true(session:step(5000))
        end
    end)

    it('lets no more come than was taken', function()
        local stream = bank:follow('tail', {credit = 4})
        for _ = 1, 20 do
            assert(pay('0.01'))
        end
        assert.is_true(stream.pipe.last - stream.pipe.first + 1 <= 4)
        local count = 0
        for tx in stream do
            count = count + 1
            if tx.at == bank:info().size then
                break
            end
        end
        assert.is_true(count > 20)
        stream:close()
    end)
end)

describe('a task', function()
    it('lets others go on where it waits', function()
        local order = {}
        for i = 1, 3 do
            folder:spawn(function()
                order[#order + 1] = 'begin ' .. i
                assert(pay('0.0' .. i))
                order[#order + 1] = 'end ' .. i
            end)
        end
        assert.same({'begin 1', 'begin 2', 'begin 3'}, order)
        folder:wait()
        assert.equal(6, #order)
        assert.equal('0.06', bank:view('balance', {account = 'bob'})[1].amount)
    end)

    it('goes on while the script waits, too', function()
        local done = false
        folder:spawn(function(amount)
            assert(pay(amount))
            done = true
        end, '1.00')
        while not done do
            assert(bank:info())
        end
    end)

    it('follows beside what it follows', function()
        local seen = {}
        local task = folder:spawn(function()
            for change in bank:follow('view', 'balance') do
                if change.put ~= nil and change.put.account == 'bob' then
                    seen[#seen + 1] = change.put.amount
                end
                if #seen == 2 then
                    return
                end
            end
        end)
        pay('1.00')
        while #seen == 0 do
            folder:step(1000)
        end
        pay('1.00')
        folder:wait(task)
        assert.equal('2.00', seen[2])
    end)

    it('raises where the script waits', function()
        folder:spawn(function()
            local paid, refusal = pay('500')
            error(paid == nil and refusal or 'it was paid', 0)
        end)
        local ok, err = pcall(folder.wait, folder)
        assert.is_false(ok)
        assert.equal('REFUSED', err.code)
        folder:spawn(function()
            error('at once')
        end)
        ok, err = pcall(folder.wait, folder)
        assert.is_false(ok)
        assert.matches('at once', err)
    end)

    it('is waited for outside of tasks', function()
        folder:spawn(function()
            folder:wait()
        end)
        local ok, err = pcall(folder.wait, folder)
        assert.is_false(ok)
        assert.matches('a task does not wait for tasks', err)
        folder:spawn(coroutine.yield)
        ok, err = pcall(folder.wait, folder)
        assert.is_false(ok)
        assert.matches('wait for nothing that could come', err)
    end)

    it('may be driven by a loop of others', function()
        local done = false
        folder:spawn(function()
            assert(pay('1.00'))
            done = true
        end)
        assert.is_number(folder:fd())
        while not done do
            folder:step(1000)
        end
    end)
end)
