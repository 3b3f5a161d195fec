--- Which arguments an error is about: told by the engine, in data, through every
-- door. Texts are for people; a value in one is never taken for a name.
local run = require('helper')
local ate = require('ate')
local rest = require('rest_helper')

before_each(run.begin)
after_each(run.finish)

local ORDERS = [[
local ate = require('ate')
local t = ate.types
local orders = ate.schema('orders', {doc = 'Orders.', version = 1})
orders:object('unit', {
    doc = 'What is counted.', key = {'name'},
    header = {name = t.name({max = 40}), scale = t.integer({min = 0, max = 9})},
})
orders:object('person', {
    doc = 'Somebody.', key = {'name'},
    header = {
        name = t.name({max = 40}), nick = t.optional(t.text({max = 10})),
        once = t.optional(t.once(t.text({max = 10}))),
    },
})
local fields = {
    from = t.ref('person'), to = t.ref('person'),
    lines = t.default(t.list(t.struct({
        item = t.text({max = 10}), count = t.integer({min = 1}),
        marks = t.default(t.list(t.enum({'red', 'blue'})), {}),
    })), {}),
    amount = t.optional(t.amount({of = 'unit'})), unit = t.optional(t.ref('unit')),
}
orders:event('order', {doc = 'An order.', header = fields})
orders:view('ordered', {
    doc = 'How often somebody ordered.', key = {'from'},
    row = {from = t.ref('person'), times = t.default(t.integer(), 0)},
    fold = {order = function(rows, order) rows:add(order.from, {times = 1}) end},
})
orders:method('order', {
    doc = 'Order.', mode = 'write', args = t.fields('order'),
    run = function(ctx, args) return ctx:emit('order', args) end,
})
orders:method('rename', {
    doc = 'Set once, in a method whose arguments are called otherwise.',
    mode = 'write', args = {person = t.ref('person'), nick = t.text({max = 99})},
    run = function(ctx, args) ctx:patch('person', args.person, {nick = args.nick}) end,
})
orders:method('price', {
    doc = 'Read a price.', mode = 'read', returns = t.integer(),
    args = {lines = t.list(t.struct({item = t.text(), count = t.integer()}))},
    run = function() return 1 end,
})
return orders
]]

-- method, arguments as JSON, the code, the pointers in order, and a part of the
-- text.
local CASES = {
    {'order', '{}', 'INVALID', {'/from', '/to'}, 'are missing'},
    {'order', '{"from":"ada"}', 'INVALID', {'/to'}, 'is missing'},
    {'order', '{"from":"ada","to":"from"}', 'NOT_FOUND', {'/to'},
        "to: no person 'from'"},
    {'order', '{"from":"to","to":"ada"}', 'NOT_FOUND', {'/from'},
        "from: no person 'to'"},
    {'order', '{"from":"ada","to":"ada","a/b~c":1}', 'INVALID', {'/a~1b~0c'},
        "no field 'a/b~c'"},
    {'order', '{"from":"ada","to":"ada","x\' to":1}', 'INVALID', {"/x' to"},
        'no field'},
    {'order', '{"from":"ada","to":"ada","a\\n/to":1}', 'INVALID', nil,
        'no field'},
    {'order', '{"from":"ada","to":"ada","lines":"to"}', 'INVALID', {'/lines'},
        'want a list'},
    {'order', '{"from":"ada","to":"ada","lines":[{"item":"x","count":1},{}]}',
        'INVALID', {'/lines/1/count', '/lines/1/item'}, 'lines: item 2:'},
    {'order', '{"from":"ada","to":"ada","lines":[{"item":"from","count":"to"}]}',
        'INVALID', {'/lines/0/count'}, "got 'to'"},
    {'order', '{"from":"ada","to":"ada","lines":[{"item":"x","count":0}]}',
        'INVALID', {'/lines/0/count'}, 'below'},
    {'order', '{"from":"ada","to":"ada","lines":[{"item":"x","count":1,'
        .. '"to/from":1}]}', 'INVALID', {'/lines/0/to~1from'}, 'no field'},
    {'order', '{"from":"ada","to":"ada","lines":[{"item":"x","count":1,'
        .. '"marks":["red","from"]}]}', 'INVALID', {'/lines/0/marks/1'},
        "'from' is none of"},
    {'order', '{"from":"ada","to":"ada","amount":"1","unit":"to"}', 'NOT_FOUND',
        {'/unit'}, "unit: no unit 'to'"},
    {'order', '{"from":"ada","to":"ada","amount":"1.234","unit":"eur"}',
        'INVALID', {'/amount'}, 'amount:'},
    {'order.append', '{"from":"ada","to":"lines"}', 'NOT_FOUND', {'/to'},
        "no person 'lines'"},
    {'person.put', '{"name":"ada","once":"another"}', 'INVALID', {'/once'},
        'is set once'},
    {'person.patch', '{"nick":"x"}', 'INVALID', {'/name'}, "'name' is missing"},
    {'rename', '{"person":"ada","nick":"more than ten bytes"}', 'INVALID', nil,
        'nick: 19 bytes'},
    {'ate.grant', '{"to":"me","rights":["to"]}', 'INVALID', {'/rights'},
        "no right 'to'"},
    {'ate.grant', '{"to":"me","rights":["create"],"object":"to"}', 'INVALID',
        {'/object'}, 'want TYPE/KEY'},
}

-- read, arguments, code, pointers
local READS = {
    {'view', '{"view":"ordered","where":{"from":"times"}}', 'NOT_FOUND',
        {'/where/from'}},
    {'view', '{"view":"ordered","where":{"to":"ada"}}', 'INVALID',
        {'/where/to'}},
    {'view', '{"view":"ordered","after":{}}', 'INVALID', {'/after/from'}},
    {'view', '{"view":"order"}', 'NOT_FOUND', {'/view'}},
    {'list', '{"type":"person","limit":"x"}', 'INVALID', {'/limit'}},
    {'get', '{"type":"person","key":"key"}', 'NOT_FOUND', {'/key'}},
    {'get', '{"type":"person"}', 'INVALID', {'/key'}},
    {'get', '{"type":"person","kye":"ada"}', 'INVALID', {'/kye'}},
    {'call', '{"method":"price","args":{"lines":[{"item":"x"}]}}', 'INVALID',
        {'/args/lines/0/count'}},
    {'call', '{"method":"person.get","args":{}}', 'INVALID', {'/args/name'}},
    {'tail', '{"from":1000}', 'NOT_FOUND', {'/from'}},
    {'source', '{"module":"version"}', 'NOT_FOUND', {'/module'}},
    {'source', '{"version":77}', 'NOT_FOUND', {'/version'}},
}

-- Prints what came of each, a line each.
local SCRIPT = [[
local ate = require('ate')
local data = assert(ate.open(os.getenv('ATE_DATA')))
for line in io.lines('cases') do
    local kind, method, args = line:match('^(%l+) (%S+) (.*)$')
    local chain = data:chain('orders')
    local _, err = chain[kind](chain, method, assert(ate.json.decode(args)))
    print(ate.json.encode({code = err.code, at = err.at, text = err.text}))
end
]]

local function prepare()
    run.write(run.dir .. '/orders.lua', ORDERS)
    run.ok('chain', 'create', 'orders', '--schema', run.dir .. '/orders.lua')
    run.ok('call', 'orders', 'person.put', 'name=ada', 'once=x')
    run.ok('call', 'orders', 'unit.put', 'name=eur', 'scale=2')
end

local function put_cases(kind, cases, out)
    for _, case in ipairs(cases) do
        out[#out + 1] = ('%s %s %s\n'):format(kind, case[1], case[2])
    end
end

local function check(case, told)
    local shown = ('%s %s: %s'):format(case[1], case[2], told.text)
    assert.equal(case[3], told.code, shown)
    assert.same(case[4], told.at, shown)
    if case[5] ~= nil then
        assert.is_truthy(told.text:find(case[5], 1, true), shown)
    end
end

--- Ask all of them in a script; `daemon`: through a process that serves.
local function ask(daemon)
    local lines = {}
    prepare()
    put_cases('call', CASES, lines)
    put_cases('read', READS, lines)
    run.write(run.dir .. '/cases', table.concat(lines))
    run.write(run.dir .. '/ask.lua', SCRIPT)
    local out = run.script((daemon and run.PRELUDE .. [[
        "$ATE" serve >told 2>serve.err &
        daemon=$!
        children="$children $daemon"
        until grep -q '^ready' told; do
            kill -0 "$daemon" || fail "$(cat serve.err)"
        done
    ]] or '') .. '"$ATE" run ask.lua' .. (daemon and '\nstop\n' or '')).out
    local told = {}
    for line in out:gmatch('[^\n]+') do
        told[#told + 1] = ate.json.decode(line)
    end
    assert.equal(#CASES + #READS, #told, out)
    for i, one in ipairs(told) do
        check(CASES[i] or READS[i - #CASES], one)
    end
end

describe('arguments that are wrong', function()
    it('are pointed at by the engine', function()
        ask(false)
    end)

    it('are pointed at through the socket of a daemon', function()
        ask(true)
    end)
end)

if run.is_without('rest') then
    return
end

local function pointers(problem)
    local list = {}
    for i, one in ipairs(problem.errors or {}) do
        list[i] = one.pointer
    end
    return problem.errors ~= nil and list or nil
end

describe('arguments that are wrong by HTTP', function()
    local function want(script, code, at)
        local out = rest.script(('open_rest\nN=/v1/orders\n%s\ncat body\n'
            .. 'stop >/dev/null\n'):format(script))
        local problem = ate.json.decode(out:match('{.*}'))
        assert.equal(code, problem.code, out)
        assert.same(at, pointers(problem), out)
    end

    it('are pointed at where they stand in the request', function()
        local script = {'open_rest\n'}
        prepare()
        for i, case in ipairs(CASES) do
            run.write(('%s/case%d'):format(run.dir, i), case[2])
            script[#script + 1] = ('json POST /v1/orders/methods/%s @case%d\n'
                .. 'cat body; echo\n'):format(case[1], i)
        end
        local out = rest.script(table.concat(script) .. 'stop >/dev/null\n')
        local i = 0
        for line in out:gmatch('{"type"[^\n]*') do
            i = i + 1
            local problem = ate.json.decode(line)
            check(CASES[i], {code = problem.code, text = problem.detail,
                at = pointers(problem)})
        end
        assert.equal(#CASES, i, out)
    end)

    -- Who signs is no argument: his name stands in a header.
    it('are not taken for what a value or a header says', function()
        prepare()
        want([[
            json POST $N/methods/order '{"from":"ada","to":"ada"}' \
                -H 'Ate-As: from']], 'NOT_FOUND', nil)
        want([[ask -g "$U$N/views/ordered?from=times"]], 'NOT_FOUND', {'/from'})
        want([[
            json POST $N/methods/price '{"lines":[{"item":"lines"}]}']],
            'INVALID', {'/lines/0/count'})
        want([[
            json PATCH $N/types/person/nobody '{"nick":"x"}']], 'NOT_FOUND',
            {'/id'})
    end)
end)
