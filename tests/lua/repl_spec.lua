local compare = require('ate.test.compare')
local complete = require('ate.repl.complete')
local eval = require('ate.repl.eval')
local history = require('ate.repl.history')
local stream = require('ate.client.stream')
local watch = require('ate.repl.watch')

local schema = {
    main = 'bank',
    types = {{name = 'account'}, {name = 'transfer'}},
    views = {{name = 'balance', columns = {{name = 'account'},
        {name = 'amount'}}}},
    rules = {{name = 'too_deep'}},
    methods = {
        {name = 'transfer', args = {{name = 'from'}, {name = 'to'}}},
        {name = 'account.put', args = {{name = 'name'}}},
        {name = 'account.get', args = {{name = 'key'}}},
    },
}

local function world(current)
    return {
        globals = {'print', 'pairs'},
        current = current,
        chains = function()
            return {'bank', 'books'}
        end,
        keys = function()
            return {'bob', 'me'}
        end,
        schema = function()
            return schema
        end,
    }
end

local function words(text, current)
    local found, start = complete.words(text, world(current))
    return table.concat(found, ' '), start
end

describe('completion', function()
    it('knows chains and Lua', function()
        assert.equal('bank books', (words('b')))
        assert.equal('pairs print', (words('x = p')))
        local _, start = words('x = p')
        assert.equal(4, start)
    end)

    it('knows what a chain has', function()
        assert.equal('tail transfer', (words('bank.t')))
        assert.equal('get put', (words('bank.account.')))
        assert.equal('balance', (words('bank.view.')))
        assert.equal('account transfer', (words('bank.get.')))
        local _, start = words('bank.view.ba')
        assert.equal(10, start)
    end)

    it('knows arguments', function()
        assert.equal('from =  to = ', (words('bank.transfer{')))
        assert.equal('to = ', (words('bank.transfer{from = "a}", t')))
        assert.equal('name = ', (words('bank.account.put({n')))
        assert.equal('account = ', (words('bank.view.balance{ac')))
    end)

    it('leaves out the name of the chain in use', function()
        assert.equal('tail transfer', (words('t', 'bank')))
        assert.equal('from =  to = ', (words('transfer{', 'bank')))
    end)

    it('knows commands and their arguments', function()
        assert.equal('\\types', (words('\\ty')))
        assert.equal('\\use ', (words('\\us')))
        assert.equal('bank books', (words('\\use ')))
        assert.equal('bob', (words('\\as b')))
        assert.equal('json', (words('\\x j')))
        assert.equal('yaml', (words('\\x y')))
        local found, start = words('\\explain bank.transfer{f')
        assert.equal('from = ', found)
        assert.equal(#'\\explain bank.transfer{', start)
        assert.equal('too_deep', (words('\\doc too', 'bank')))
    end)
end)

describe('a line', function()
    it('is a value, a statement, or goes on', function()
        local env = setmetatable({}, {__index = _G})
        assert.equal(2, eval.compile('1+1', env)())
        assert.equal(2, eval.compile('=1+1', env)())
        eval.compile('x = 5', env)()
        assert.equal(5, env.x)
        for _, text in ipairs({'1 +', 'for i = 1, 2 do', 'f{', '[[a',
            'x =', 'function f()'}) do
            local chunk, wrong = eval.compile(text, env)
            assert.is_nil(chunk)
            assert.is_nil(wrong)
        end
        local chunk, wrong = eval.compile('1 1', env)
        assert.is_nil(chunk)
        assert.is_string(wrong)
    end)
end)

describe('the history', function()
    it('has each entry once, where it was last', function()
        assert.same({'b', 'c', 'a'}, history.unique({'a', 'b', 'c', 'a'}))
    end)

    it('keeps entries of several lines', function()
        for _, entry in ipairs({'\\use bank', 'a\nb', 'x\\ny', 'a\\\nb'}) do
            local line = history.escape(entry)
            assert.is_nil(line:find('\n'))
            assert.equal(entry, history.unescape(line))
        end
    end)
end)

describe('a value in braces', function()
    it('is shown up to where it stands in itself', function()
        local t = {a = 1, [true] = {2}}
        t.t = t
        assert.equal("{['true'] = {2}, a = 1, t = {...}}", compare.show(t))
    end)
end)

describe('\\watch', function()
    local open = stream.open

    after_each(function()
        stream.open = open
    end)

    -- The signal ends the wait for a change, and is none.
    it('runs the line no more when Ctrl-C came', function()
        local session = {read = function()
            return {size = 1}
        end, pump = function()
            return false
        end}
        local changes, runs, closed = 0, 0, false
        stream.open = function()
            return {next = function()
                changes = changes + 1
                session.interrupted = changes == 3
            end, close = function()
                closed = true
            end}
        end
        assert.is_true(watch.on_change(session, 'bank', function()
            runs = runs + 1
            return true
        end))
        assert.same({3, true}, {runs, closed})
    end)
end)
