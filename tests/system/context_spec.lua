--- The context of a call, through every door that has a place for it.
local run = require('helper')
local ate = require('ate')

before_each(run.begin)
after_each(run.finish)

local DESK = [[
local ate = require('ate')
local t = ate.types
local shop = require('shop')
local desk = ate.schema('desk', {
    doc = 'Tickets.', version = 1,
    context = {
        lang = t.default(t.enum({'en', 'de'}), 'en'),
        budget = t.optional(t.amount({scale = 2})),
        who = t.optional(t.text({max = 40})),
    },
})
desk:object('ticket', {
    doc = 'What is broken.', key = {'name'}, off = {'patch', 'delete'},
    header = {name = t.name({max = 40}), lang = t.text({max = 2}),
        budget = t.optional(t.amount({scale = 2}))},
})
desk:method('greet', {
    doc = 'Say hello.', mode = 'read', args = {}, returns = t.text({max = 80}),
    rest = 'GET /greeting',
    run = function(ctx)
        local word = ctx.data.lang == 'de' and 'hallo' or 'hello'
        return word .. (ctx.data.who and ' ' .. ctx.data.who or '')
    end,
})
desk:method('count', {
    doc = 'Tickets of the language.', mode = 'read', args = {},
    returns = t.integer(),
    run = function(ctx)
        local n = 0
        for one in ctx.state.ticket:each() do
            n = n + (one.lang == ctx.data.lang and 1 or 0)
        end
        return n
    end,
})
desk:method('open', {
    doc = 'Open one.', mode = 'write', args = {name = t.name({max = 40})},
    returns = t.text({max = 2}),
    run = function(ctx, args)
        ctx:create('ticket', {name = args.name, lang = ctx.data.lang,
            budget = ctx.data.budget})
        return ctx.data.lang
    end,
})
desk:method('buy', {
    doc = 'In another schema.', mode = 'read', args = {},
    returns = t.text({max = 40}),
    run = function(ctx)
        return ctx:call('shop.price', {})
    end,
})
return desk
]]

-- It has a context of its own, one field of which has no default.
local SHOP = [[
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {
    doc = 'What things cost.', version = 1, context = {currency = t.text({})},
})
shop:object('thing', {doc = 'A thing.', key = {'name'},
    header = {name = t.name({max = 40})}, off = {'patch', 'delete'}})
shop:method('price', {
    doc = 'In the currency of who asks.', mode = 'read', args = {},
    returns = t.text({max = 40}),
    run = function(ctx)
        return '1 ' .. ctx.data.currency
    end,
})
return shop
]]

local ID = '00112233445566778899aabbccddeeff'

local function desk()
    run.write(run.dir .. '/desk.lua', DESK)
    run.write(run.dir .. '/shop.lua', SHOP)
    run.ok('chain', 'create', 'desk', '--schema', 'desk.lua')
end

--- What every door says that opens the folder itself or asks a daemon.
local function claims()
    assert.equal('hello\n', run.ok('call', 'desk', 'greet'))
    assert.equal('hallo ann\n', run.ok('call', 'desk', 'greet', '--context',
        'lang=de', '--context', 'who=ann'))
    assert.equal('hallo a,b\n', run.ok('call', 'desk', 'greet', '--context',
        '{"lang": "de", "who": "a,b"}'))
    local done = run.json('call', 'desk', 'open', 'name=a', '--context',
        'lang=de', '--context', 'budget=1.50', '--call-id', ID)
    assert.equal('de', done.result)
    local row = run.json('get', 'desk', 'ticket', 'a')
    assert.same({'de', '1.50'}, {row.lang, row.budget})
    -- The same call gets the same answer, also when it is written otherwise.
    local again = run.json('call', 'desk', 'open', 'name=a', '--context',
        '{"budget": "1.5", "lang": "de"}', '--call-id', ID)
    assert.same({done.index, done.tx, done.result},
        {again.index, again.tx, again.result})
    local reused = 'used with other arguments, or another context, by '
        .. 'transaction ' .. ('%d'):format(done.index)
    run.fails(5, reused, 'call', 'desk', 'open', 'name=a', '--context',
        'lang=en', '--call-id', ID)
    run.fails(5, reused, 'call', 'desk', 'open', 'name=a', '--call-id', ID)
end

describe('a context', function()
    it('comes with a call of the command line', function()
        desk()
        claims()
    end)

    -- Digests are of what was given: a default that is new stands in none.
    it('and the arguments are those of the same call after an upgrade', function()
        desk()
        local line = {'call', 'desk', 'open', 'name=a', '--context', 'lang=de',
            '--call-id', ID}
        local put = {'call', 'desk', 'ticket.put', 'name=b', 'lang=de', '--call-id',
            (ID:gsub('0', 'f'))}
        local opened, kept = run.json(unpack(line)), run.json(unpack(put))
        run.write(run.dir .. '/desk.lua', (DESK
            :gsub('version = 1', 'version = 2')
            :gsub('context = {', 'context = {more = t.default(t.integer(), 1), ', 1)
            :gsub('header = {', '%0rank = t.default(t.integer(), 7), ')))
        run.ok('schema', 'apply', 'desk', 'desk.lua')
        assert.equal(opened.tx, run.json(unpack(line)).tx)
        assert.equal(kept.tx, run.json(unpack(put)).tx)
        put[4] = 'name=c'
        run.fails(5, 'used with other arguments', unpack(put))
    end)

    it('comes through the socket', function()
        desk()
        run.write(run.dir .. '/in_daemon', [[
            "$ATE" serve >told 2>&1 & daemon=$!
            trap 'kill $daemon; wait $daemon' EXIT
            tries=0
            until grep -q '^ready' told; do
                kill -0 $daemon || exit 99
                tries=$((tries + 1)); [ $tries -lt 100000 ] || exit 98
            done
            "$ATE" call desk greet --context lang=de &&
            "$ATE" call desk open name=a --context lang=de --call-id ]] .. ID
            .. [[ &&
            "$ATE" call desk open name=a --context lang=de --call-id ]] .. ID
            .. [[ &&
            ! "$ATE" call desk open name=a --context lang=en --call-id ]] .. ID
            .. [[ &&
            "$ATE" call desk count --context lang=de
        ]])
        local done = run.script('. ./in_daemon')
        assert.matches('^hallo\nopen de  index 2 [^\n]*\nopen de  index 2 '
            .. '[^\n]*\n1\n$', done.out)
        assert.matches('or another context, by transaction 2', done.err)
    end)

    it('is checked, and what is wrong is named', function()
        desk()
        for given, said in pairs({
            ['lnag=de'] = 'context: unknown field "lnag"; did you mean "lang"',
            ['lang=fr'] = "context: lang: 'fr' is none of en, de",
            ['budget=x'] = 'context: budget: ',
            ['{"lnag": "de"}'] = "context: no field 'lnag'; did you mean "
                .. "'lang'",
            ['{"lang": 1}'] = 'context: lang: want ',
            ['[1]'] = 'is not of the form', ['{'] = '%-%-context is no JSON',
            ['lang'] = 'context: "lang" is not of the form name=value',
        }) do
            run.fails(2, said,
                'call', 'desk', 'greet', '--context', given)
        end
        run.fails(2, 'context: currency: is missing', 'call', 'desk',
            'shop.price')
        assert.equal('1 EUR\n', run.ok('call', 'desk', 'shop.price',
            '--context', 'currency=EUR'))
        run.fails(1, "ctx.data: nobody gave 'currency'", 'call', 'desk', 'buy',
            '--context', 'lang=de')
        run.fails(2, 'context: unknown field "lan"', 'call', 'desk',
            'ticket.list', '--context', 'lan=de')
        run.ok('call', 'desk', 'ticket.list', '--context', 'lang=de')
        run.ok('call', 'desk', 'ticket.put', 'name=x', 'lang=en', '--context',
            'lang=de')
        run.bank()
        run.fails(2, 'context: schema bank declares none', 'call', 'bank',
            'account.list', '--context', 'lang=de')
        run.fails(2, 'context: schema bank declares none', 'call', 'bank',
            'account.put', 'name=c', 'owner=me', '--context', '{"a": 1}')
    end)

    it('comes with each line of a stream', function()
        desk()
        run.write(run.dir .. '/lines', '{"name": "a"}\n'
            .. '{"args": {"name": "b"}, "context": {"lang": "en"}}\n'
            .. '{"args": {"name": "c"}, "context": {"lang": "xx"}}\n')
        run.fails(2, 'line 3: .*context: lang: ', 'call', 'desk', 'open',
            '--jsonl', 'lines', '--context', 'lang=de')
        local langs = {}
        for _, row in ipairs(run.json('list', 'desk', 'ticket')) do
            langs[row.name] = row.lang
        end
        assert.same({a = 'de', b = 'en'}, langs)
    end)

    it('comes from scripts, and goes with what follows', function()
        desk()
        run.write(run.dir .. '/ask.lua', [[
            local ate = require('ate')
            local desk = assert(ate.open()):chain('desk')
            local german = {context = {lang = 'de', who = 'ann'}}
            print(desk:greet({}, german))
            print(desk:call('greet', nil, german))
            local changes = desk:follow('call', 'count', nil, german)
            print(changes:next().value)
            assert(desk:open({name = 'a'}, german))
            print(changes:next().value)
            changes:close()
            for _, wrong in ipairs({{lnag = 'de'}, {lang = 7}, 'de'}) do
                local _, err = desk:call('greet', nil, {context = wrong})
                print(err.code, err.text)
            end
            local _, err = desk:view('x', nil, german)
            print(err.code, err.text)
            local _, own = desk.folder:call('key.ls')
            print(own)
        ]])
        local out = run.ok('run', 'ask.lua')
        assert.matches('^hallo ann\nhallo ann\n0\n1\n'
            .. "INVALID\t[^\n]*context: no field 'lnag'; did you mean 'lang'%?"
            .. '\nINVALID\t[^\n]*context: lang: want [^\n]*\n'
            .. 'INVALID\t[^\n]*context: want a map\n'
            .. 'INVALID\t[^\n]*context: view takes none[^\n]*\nnil\n$', out)
    end)

    it('is typed in the REPL', function()
        desk()
        local done = run.script([[
            printf '%s\n' 'greet({}, {context = {lang = "de"}})' \
                'desk.call("greet", {}, {context = {who = "bob"}})' \
                'greet({}, {contxt = {}})' | "$ATE" repl desk 2>&1 || :
        ]])
        assert.matches('^hallo\nhello bob\nate: no option "contxt" here; '
            .. 'there is context\n', done.out)
    end)

    it('comes with the users of a test', function()
        desk()
        run.write(run.dir .. '/desk_test.lua', [[
            local test = require('ate.test')
            test.schema('desk.lua')
            test.it('speaks German', function(t)
                local ann = t:user('me')
                local german = ann:with_context({lang = 'de'})
                t:equal(german:call('greet'), 'hallo')
                t:equal(ann:call('greet'), 'hello')
                german:call('open', {name = 'a'})
                t:equal(t:get('ticket', 'a').lang, 'de')
                local said = t:fails('INVALID',
                    ann:with_context({lang = 'fr'}), 'greet')
                t:ok(said:find('none of en, de', 1, true), said)
            end)
        ]])
        assert.matches('1 passed, 0 failed', run.ok('test', 'desk_test.lua'))
    end)

    it('is named to editors, and completed', function()
        desk()
        run.ok('check', 'desk.lua', '--stubs', 'stubs')
        local stubs = run.read(run.dir .. '/stubs/desk_schema.lua')
        for _, line in ipairs({'---@class desk.Data',
            "---@field lang ('en'|'de')", '---@field budget? integer',
            '---@field data desk.Data', '---@class shop.Data',
            '---@field currency string'}) do
            assert.truthy(stubs:find(line .. '\n', 1, true)
                or stubs:find(line .. ' ', 1, true), line)
        end
        local words = run.ok('complete', '--', 'call', 'desk', 'greet',
            '--context', 'l')
        assert.equal('lang=\n', words)
    end)

    it('comes in a header of HTTP', function()
        if run.is_without('rest') then
            return
        end
        desk()
        local done = run.script([[
fail() { echo "$*" >&2; exit 99; }
trap 'kill $children; wait $children' EXIT
children=
. ]] .. run.quote(run.root .. '/tests/system/rest.sh') .. [[

open_rest
ask "$U/v1/desk/greeting"
want 200 '"hello"'
ask -H 'Ate-Context: {"lang":"de","who":"\u00e4nn"}' "$U/v1/desk/greeting"
want 200 '"hallo änn"'
ask -H 'Ate-Context: {"lang":"de"}' "$U/v1/desk/types/ticket"
want 200 '"items":[]'
for wrong in '{"lnag":"de"}' '{"lang":"fr"}' '[]' '{' 'lang=de'; do
    ask -H "Ate-Context: $wrong" "$U/v1/desk/greeting"
    want 400 '"code":"INVALID"'
    cat body; echo
done
id='-H Idempotency-Key:]] .. ID .. [['
json POST /v1/desk/methods/open '{"name":"a"}' $id \
    -H 'Ate-Context: {"lang":"de"}'
want 200 '"result":"de"' '"index":2'
json POST /v1/desk/methods/open '{"name":"a"}' $id \
    -H 'Ate-Context: {"lang":"de"}'
want 200 '"result":"de"' '"index":2'
json POST /v1/desk/methods/open '{"name":"a"}' $id
want 422 '"code":"KEY_REUSED"'
ask "$U/v1/desk/openapi.json"
want 200
cp body openapi.json
]])
        assert.matches("did you mean 'lang'", done.out)
        assert.matches("'fr' is none of en, de", done.out)
        assert.matches('Ate%-Context is a JSON object', done.out)
        assert.is_nil(done.out:find('"pointer"', 1, true))
        local api = ate.json.decode(run.read(run.dir .. '/openapi.json'))
        local header
        for _, parameter in ipairs(api.paths['/v1/desk/greeting'].get
            .parameters) do
            header = parameter.name == 'Ate-Context' and parameter or header
        end
        assert.same({'header', false, 'object'}, {header['in'],
            header.required, header.content['application/json'].schema.type})
        local lang = header.content['application/json'].schema.properties.lang
        assert.same({'en', 'de'}, {unpack(lang.enum)})
        for _, parameter in ipairs(api.paths['/v1/desk/types/ticket'].get
            .parameters) do
            assert.not_equal('Ate-Context', parameter.name)
        end
    end)
end)
