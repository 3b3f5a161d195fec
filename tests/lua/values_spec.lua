local ate = require('ate')
local bulk = require('ate.cli.bulk')
local suggest = require('ate.client.suggest')
local values = require('ate.client.values')

local fields = {
    {name = 'amount', kind = 'amount'},
    {name = 'count', kind = 'integer'},
    {name = 'open', kind = 'boolean'},
    {name = 'tags', kind = 'list', item = {kind = 'name'}},
    {name = 'lines', kind = 'list', item = {kind = 'struct'}},
    {name = 'note', kind = 'text'},
    {name = 'file', kind = 'blob'},
}

local function args(...)
    return values.args(fields, {...}, 'bank transfer')
end

local function problem(...)
    local given, err = args(...)
    assert.is_nil(given)
    assert.equal('INVALID', err.code)
    return err.text
end

describe('values', function()
    it('are what their fields say', function()
        assert.same({amount = '1.00', count = 7, open = true, note = 'a=b'},
            args('amount=1.00', 'count=7', 'open=true', 'note=a=b'))
        assert.equal('{"count":9223372036854775807}',
            ate.json.encode(args('count=9223372036854775807')))
        assert.equal('{"count":-7}', ate.json.encode(args('count=-007')))
    end)

    it('of lists are JSON or separated by commas', function()
        assert.same({'a', 'b'}, args('tags=a,b').tags)
        assert.same({'a,b'}, args('tags=["a,b"]').tags)
        assert.same({{x = 1}}, args('lines=[{"x":1}]').lines)
        assert.equal('[]', ate.json.encode(args('tags=').tags))
        assert.matches('lines is no JSON: line 1', problem('lines=a,b'))
    end)

    it('come from files', function()
        local path = os.tmpname()
        local file = io.open(path, 'wb')
        file:write('from a file\n')
        file:close()
        assert.equal('from a file\n', args('note=@' .. path).note)
        os.remove(path)
        assert.equal('@x', args('note=@@x').note)
        local given, err = args('note=@' .. path)
        assert.is_nil(given)
        assert.equal('NOT_FOUND', err.code)
    end)

    it('say what is wrong with a word', function()
        assert.matches('"x" is not of the form name=value', problem('x'))
        assert.matches('unknown field "amuont"; did you mean "amount"%?',
            problem('amuont=1'))
        assert.matches('unknown field "x"; there are: amount, count, file, '
            .. 'lines, note, open, tags', problem('x=1'))
        assert.matches('"count" is given twice', problem('count=1', 'count=2'))
        for _, text in ipairs({'1.5', ('9'):rep(20)}) do -- the engine says it
            assert.equal(text, args('count=' .. text).count)
        end
        for _, word in ipairs({'maybe', 'yes', 'no', 'TRUE', '1', ''}) do
            assert.matches('open is true or false', problem('open=' .. word))
        end
        for _, text in ipairs({'a,,b', ',a', 'a,', ','}) do
            assert.matches('tags has an item that is empty: "' .. text .. '"',
                problem('tags=' .. text))
        end
    end)
end)

describe('a line of --jsonl', function()
    it('is arguments, or a request', function()
        assert.same({method = 'transfer', args = {a = 1}},
            bulk.request('{"a":1}', {method = 'transfer'}))
        assert.same({method = 'put', args = {a = 1}, as = 'bob'},
            bulk.request('{"method":"put","args":{"a":1},"as":"bob"}',
                {method = 'transfer', as = 'me'}))
        assert.same({method = 'close', args = {}},
            bulk.request('{"method":"close"}', {}))
    end)

    it('may say the id of its call', function()
        local id = '0123456789abcdef0123456789abcdef'
        local bytes = ('\1\35\69\103\137\171\205\239'):rep(2)
        for _, text in ipairs({id, id:upper(),
            '01234567-89ab-cdef-0123-456789abcdef'}) do
            local request = bulk.request('{"args":{},"call_id":"' .. text
                .. '"}', {method = 'pay'})
            assert.equal(bytes, request.call_id)
        end
        for _, text in ipairs({'""', '1', '"x' .. id:sub(2) .. '"', 'null',
            '"' .. id .. '0"'}) do
            assert.matches('call_id is 32 digits of hex', select(2,
                bulk.request('{"args":{},"call_id":' .. text .. '}',
                    {method = 'pay'})).text)
        end
    end)

    it('with fields of those names is still arguments', function()
        assert.same({method = 'pay', args = {method = 'card'}},
            bulk.request('{"method":"card"}', {method = 'pay'}))
        assert.same({method = 'pay', args = {args = 'x', b = 1}},
            bulk.request('{"args":"x","b":1}', {method = 'pay'}))
    end)

    it('without a method or an object is refused', function()
        assert.matches('no method', select(2, bulk.request('{"a":1}', {})).text)
        assert.matches('not an object', select(2, bulk.request('[1]', {})).text)
        assert.matches('no JSON: line 1', select(2, bulk.request('{', {})).text)
    end)
end)

describe('what there is', function()
    it('is listed in one way, and not without end', function()
        assert.equal('; there are none', suggest.there_are({}))
        assert.equal('; there are: a, b', suggest.there_are({'b', 'a'}))
        assert.equal('; there are: a, and more', suggest.there_are({'a'},
            'more'))
        assert.equal('; there are: more', suggest.there_are({}, 'more'))
        local many = {}
        for i = 1, 40 do
            many[i] = ('n%02d'):format(i)
        end
        assert.matches('^; there are: n01, .*, n24, %.%.%.$',
            suggest.there_are(many))
        assert.matches('n24, %.%.%.$', suggest.hint_or_list('zebra', many))
        assert.equal('none', suggest.list({}))
        assert.matches(', n40$', suggest.list(many))
    end)
end)

describe('a suggestion', function()
    it('is near, or none', function()
        local words = {'new', 'view', 'chain', 'check'}
        assert.equal('view', ate.near('vew', words))
        assert.equal('chain', ate.near('chian', words))
        assert.equal('check', ate.near('chekc', words))
        assert.equal('chain', ate.near('CHIAN', words))
        assert.is_nil(ate.near('nex', {}))
        assert.is_nil(ate.near('ne', {'box', 'view'}))
        assert.is_nil(ate.near('transfer', words))
        assert.is_false(pcall(ate.near, 'x', {1}))
        assert.is_nil(ate.near('x', {}))
    end)
end)
