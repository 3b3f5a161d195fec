local ate = require('ate')
local cell = require('ate.client.cell')
local csv = require('ate.client.csv')
local grid = require('ate.client.grid')
local problem = require('ate.client.problem')
local receipt = require('ate.client.receipt')
local transaction = require('ate.client.transaction')

describe('a table', function()
    it('aligns by what a terminal shows', function()
        assert.equal(
            'name  amount\n'
            .. 'Zoë     1.00\n'
            .. '日本  -12.50\n',
            grid.render({{title = 'name'}, {title = 'amount', right = true}},
                {{'Zoë', '1.00'}, {'日本', '-12.50'}}))
    end)

    it('is cut to a width, its numbers are not', function()
        local columns = {{title = 'name'}, {title = 'amount', right = true},
            {title = 'note'}}
        local rows = {{'日本日本日本', '-1234567890.12',
            'All work and no play'}, {'a', '1.00', 'b'}}
        assert.equal(
            'name               amount  note\n'
            .. '日本日本…  -1234567890.12  All work …\n'
            .. 'a                    1.00  b\n',
            grid.render(columns, rows, nil, 37))
        assert.equal(grid.render(columns, rows),
            grid.render(columns, rows, nil, 52))
        -- Where nothing fits, the terminal breaks lines.
        assert.equal(
            'name              amount  note\n'
            .. '日本日…   -1234567890.12  All wor…\n'
            .. 'a                   1.00  b\n',
            grid.render(columns, rows, nil, 5))
    end)

    it('of no rows is its titles', function()
        assert.equal('a  b\n', grid.render({{title = 'a'}, {title = 'b'}}, {}))
    end)
end)

describe('a cell', function()
    it('shows what is absent as nothing and lists as JSON', function()
        assert.equal('', cell.text(nil))
        assert.equal('', cell.text(ate.null))
        assert.equal('["a",1]', cell.text(ate.list({'a', 1})))
        assert.equal('9007199254740992', cell.text(2 ^ 53))
        assert.equal('9223372036854775807', cell.text(9223372036854775807LL))
        assert.equal('ff', cell.text('\255'))
    end)

    -- A name from a chain must not drive the terminal of who lists it.
    it('harms no terminal', function()
        assert.equal('a\\x1b[2Jb\\n', cell.shown('a\27[2Jb\n'))
        assert.equal('\\u{202e}x', cell.shown('\226\128\174x'))
        assert.equal('a\\xffb', ate.text.printable('a\255b'))
    end)

    it('tells an escape from a backslash that is there', function()
        assert.equal('x\\ny', cell.shown('x\ny'))
        assert.equal('x\\\\ny', cell.shown('x\\ny'))
        assert.equal('["x\\\\ny"]', cell.shown(ate.list({'x\\ny'})))
        assert.equal('a="x\\\\ny" b="x\ny"',
            transaction.fields_text({a = 'x\\ny', b = 'x\ny'}, cell.text))
    end)
end)

describe('what nobody sees', function()
    it('is escaped, so that names which differ look different', function()
        for point, text in pairs({
            ['200b'] = '\226\128\139', ['200d'] = '\226\128\141',
            ['a0'] = '\194\160', ['ad'] = '\194\173',
            ['2009'] = '\226\128\137', ['2060'] = '\226\129\160',
            ['3164'] = '\227\133\164', ['fe0f'] = '\239\184\143',
            ['e0041'] = '\243\160\129\129', ['2800'] = '\226\160\128',
            ['34f'] = '\205\143', ['200e'] = '\226\128\142',
        }) do
            assert.equal('al\\u{' .. point .. '}ice',
                cell.shown('al' .. text .. 'ice'))
        end
        assert.equal('\\x20\\x20', cell.shown('  '))
        assert.equal('\\x20a b\\x20', cell.shown(' a b '))
        assert.equal('\\u{3000}\\x20a', cell.shown('\227\128\128 a'))
        assert.equal('a\\u{3000}', cell.shown('a\227\128\128'))
        assert.equal('', cell.shown(''))
    end)

    it('is no letter, no picture and no wide blank within', function()
        for _, text in ipairs({'Zoë', 'e\204\129', '田中\227\128\128太郎',
            '\226\152\149\239\184\143', -- a cup, told to be a picture
            '\240\159\145\169\240\159\143\189\226\128\141\240\159\145\167',
            'שלום', 'नमस्ते'}) do
            assert.equal(text, cell.shown(text))
        end
    end)
end)

describe('CSV', function()
    it('quotes what has to be quoted', function()
        assert.equal('a,"b,c","say ""x""","1\n2"\n',
            csv.line({'a', 'b,c', 'say "x"', '1\n2'}))
    end)
end)

describe('a receipt', function()
    it('is one line', function()
        assert.equal('transfer 3.0  index 3  root 77ab12c4…  durable 1.1 ms',
            receipt.line('transfer', {result = '3.0', index = 3,
                root = '77ab12c4' .. ('0'):rep(56), durable_us = 1100}))
        assert.equal('close false  index 3  root 77ab12c4…',
            receipt.line('close', {result = false, index = 3,
                root = '77ab12c4' .. ('0'):rep(56)}))
        assert.equal('close  index 3  root 77ab12c4…',
            receipt.line('close', {result = ate.null, index = 3,
                root = '77ab12c4' .. ('0'):rep(56)}))
    end)
end)

describe('an error', function()
    local function said(text, context)
        return problem.say(ate.error('INVALID', text), context).text
    end

    it('says what was tried, once', function()
        assert.equal('bank transfer: no', said('no', 'bank transfer'))
        assert.equal('bank transfer: no', said('bank.transfer: no',
            'bank transfer'))
        assert.equal('chain bank: no', said('chain bank: no', 'bank transfer'))
        assert.equal('bank transfer: chain b: no', said('chain b: no',
            'bank transfer'))
    end)

    -- A schema, a type or an argument may be called like the chain.
    it('says it where a text begins with the same name', function()
        assert.equal('bank transfer: bank.account: no', said(
            'bank.account: no', 'bank transfer'))
        assert.equal('bank transfer: bank: no', said('bank: no',
            'bank transfer'))
    end)

    -- A chain called t, and a text about the argument 'to'.
    it('is not taken for one that has said it', function()
        assert.equal('t ate.grant: to: is missing', said('to: is missing',
            't ate.grant'))
    end)
end)

describe('a line of tail', function()
    it('shows what happened', function()
        assert.same({
            '3  T  me  move  + transfer 3.0 amount=1.00 note="a b"',
            '                - account x',
        }, transaction.lines({index = 3, time = 'T', author = 'me',
            method = 'move', events = {
                {type = 'transfer', id = '3.0', change = 'fact',
                    fields = {note = 'a b', amount = '1.00'}},
                {type = 'account', id = 'x', change = 'delete', fields = {}},
            }}))
    end)

    -- Of the engine's own: rights and root keys are lists.
    it('shows lists of names as people write them', function()
        assert.same({
            '3  -  me  ate.grant  + ate.delegation rights=create,write to=bob',
        }, transaction.lines({index = 3, time = '-', author = 'me',
            method = 'ate.grant', events = {{change = 'fact',
                type = 'ate.delegation', fields = {to = 'bob',
                    rights = ate.list({'create', 'write'})}}}}))
        assert.same({
            '4  -  bob  say  + word 4.0 labels=[] lines="[\\"a,b\\"]" n=[1] '
                .. '(under 3.0)',
        }, transaction.lines({index = 4, time = '-', author = 'bob',
            method = 'say', events = {{change = 'fact', type = 'word', id = '4.0',
                under = '3.0', fields = {labels = ate.list({}),
                    lines = ate.list({'a,b'}), n = ate.list({1})}}}}))
    end)
end)

describe('the rows of a view', function()
    local shape = require('ate.client.shape')

    -- The engine orders refs by hashes, so alice may come behind bob.
    it('stand in the order of what they show', function()
        local rows = {{month = '2026-02', account = 'a'},
            {month = '2026-01', account = 'b'}, {month = '2026-01',
            account = 'a'}}
        table.sort(rows, shape.row_order({key = {'month', 'account'},
            columns = {{name = 'account', kind = 'ref'},
                {name = 'month', kind = 'month'}}}))
        assert.same({{month = '2026-01', account = 'a'},
            {month = '2026-01', account = 'b'},
            {month = '2026-02', account = 'a'}}, rows)
    end)

    it('are left to the engine where it sorts them so', function()
        assert.is_nil(shape.row_order({key = {'n'},
            columns = {{name = 'n', kind = 'integer'}}}))
    end)
end)

--- An alarm is none of the log's; what helps depends on the alarm.
describe('advice about an alarm', function()
    local advice = require('ate.client.advice')

    -- A word that nobody gives any more would be advice that nobody gets.
    it('goes by reasons that the engine gives and the docs explain', function()
        local function read(command)
            local pipe = assert(io.popen(command))
            local text = pipe:read('*a')
            pipe:close()
            return text
        end
        local function words(text, pattern, into)
            for word in text:gmatch(pattern) do
                into[word] = true
            end
            return into
        end
        local given = {}
        local engine = read('cat $(find engine -name "*.c")')
        for _, name in ipairs({'err_reason', 'no_access'}) do
            for call in engine:gmatch(name .. '%b()') do
                words(call, '"([%l_]+)"', given)
            end
        end
        assert.is_true(given.call_id_used and given.no_read_access)
        local explained = {}
        for row in read('cat docs/client.md'):match('| `reason` |.-\n\n')
            :gmatch('\n(| `[^|]*|)') do
            words(row, '`([%l_]+)`', explained)
        end
        assert.same(given, explained)
        local advised = {}
        words(read('cat lua/client/advice.lua'), "%u ([%l_]+)'%] =", advised)
        words(read('cat frontends/rest/problem.c'),
            '{"([%l_]+)", "[^\n]*"},\n', advised)
        assert.is_true(advised.log_damaged and advised.no_key)
        for word in pairs(advised) do
            assert.is_true(given[word] or word == 'not_written', word)
        end
    end)

    it('says that the log may be good', function()
        local slow = advice.of({code = 'UNAVAILABLE', reason = 'alarm'})
        assert.matches('^that says nothing of the log, which may be good: try '
            .. 'again when the machine has less to do; ', slow)
        local much = advice.of({code = 'UNAVAILABLE', reason = 'replay_limit'})
        assert.matches('may be good: open it with the version of ate that '
            .. 'wrote it', much)
        assert.is_nil(advice.of({code = 'CORRUPT', reason = 'alarm'}))
        assert.is_nil(advice.of({code = 'UNAVAILABLE', text = 'rule slow: an '
            .. 'alarm of this node, and no verdict'}))
    end)
end)
