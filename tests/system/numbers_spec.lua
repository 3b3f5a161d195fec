--- Whole numbers and amounts end where Lua's do: what somebody stored beyond
-- would fail whoever reads it, for ever. And every door takes the same ones.
local run = require('helper')
local rest = require('rest_helper')
local ate = require('ate')

before_each(run.begin)
after_each(run.finish)

local SCHEMA = [[
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'Numbers.', version = 1})
shop:object('a', {
    doc = 'Has numbers.',
    key = {'n'},
    header = {
        n = t.name(),
        x = t.integer(),
        y = t.default(t.amount({scale = 2}), 0),
        z = t.default(t.list(t.integer()), {}),
    },
})
shop:event('gift', {
    doc = 'Something to add.', header = {amount = t.amount({scale = 2})},
})
shop:view('total', {
    doc = 'What gifts add up to.',
    key = {'name'},
    row = {name = t.name(), amount = t.default(t.amount({scale = 2}), 0)},
    fold = {
        gift = function(rows, gift)
            rows:add('all', {amount = gift.amount})
        end,
    },
})
shop:method('read', {
    doc = 'Read all there is.', mode = 'read', args = {},
    returns = t.amount({scale = 2}),
    run = function(ctx)
        for a in ctx.state.a:each() do
            assert(a.x ~= nil)
        end
        return ctx.state.total:get('all').amount
    end,
})
return shop
]]

local function create()
    run.write(run.dir .. '/shop.lua', SCHEMA)
    run.ok('chain', 'create', 'shop', '--schema', run.dir .. '/shop.lua',
        '--accept', 'accept-all,serializer,structured-logic')
end

describe('a number', function()
    it('is at most 2^53, whoever appends it', function()
        create()
        run.ok('call', 'shop', 'a.put', 'n=most', 'x=9007199254740992',
            'y=-90071992547409.92')
        run.fails(2, 'x: 9007199254740993 is above 9007199254740992',
            'call', 'shop', 'a.put', 'n=evil', 'x=9007199254740993')
        for _, given in ipairs({'"x":9007199254740993',
            '"x":-9223372036854775808',
            '"x":1,"y":"90071992547409.93"', '"x":1,"z":[9007199254740993]'}) do
            run.fails(2, 'shop a%.put: [xyz]', 'call', 'shop', 'a.put', '--args',
                '{"n":"evil",' .. given .. '}')
        end
        run.ok('call', 'shop', 'read')
        assert.equal(1, #ate.json.decode(run.ok('list', 'shop', 'a', '--json')))
    end)

    it('is not added up beyond that', function()
        create()
        run.ok('call', 'shop', 'gift.append', 'amount=60000000000000.00')
        run.fails(1, 'total: rows:add.amount: 120000000000000.00 is above '
            .. '90071992547409.92', 'call', 'shop', 'gift.append',
            'amount=60000000000000.00')
        run.ok('call', 'shop', 'gift.append', 'amount=-10.00')
        assert.equal('59999999999990.00\n', run.ok('call', 'shop', 'read'))
    end)
end)

-- ---- the same number at every door ----

local DOORS = [[
local ate = require('ate')
local t = ate.types
local nums = ate.schema('nums', {doc = 'Numbers.', version = 1})
nums:object('one', {
    doc = 'Numbers.', key = {'name'},
    header = {
        name = t.name(), x = t.default(t.integer(), 0),
        y = t.default(t.amount({scale = 2}), 0),
        z = t.default(t.list(t.integer()), {}),
    },
})
nums:method('keep', {
    doc = 'Keep them.', mode = 'write', args = t.fields('one'),
    file = 'keep', rest = 'PUT /keep/{name}/{x}',
    run = function(ctx, args) return ctx:put('one', args) end,
})
nums:method('tell', {
    doc = 'Tell it.', mode = 'read', args = {
        x = t.default(t.integer(), 0), y = t.default(t.amount({scale = 2}), 0),
        z = t.default(t.list(t.integer()), {}),
    },
    returns = t.struct({
        x = t.integer(), y = t.amount({scale = 2}), z = t.list(t.integer()),
    }),
    run = function(_, args) return args end,
})
return nums
]]

--- What somebody writes, and what is kept; false: it is refused.
local WORDS = {
    {'x', '1000', 1000}, {'x', '-5', -5}, {'x', '0007', 7}, {'x', '-0', 0},
    {'x', '000000000000000000000000000012', 12},
    {'x', '9007199254740992', 2 ^ 53}, {'x', '9007199254740993', false},
    {'x', '99999999999999999999', false}, {'x', '1e3', false},
    {'x', '1.0', false}, {'x', '+5', false}, {'x', '0x10', false},
    {'x', '1_000', false}, {'x', '--5', false}, {'x', 'true', false},
    {'x', '-', false}, {'y', '12', '12.00'}, {'y', '12.5', '12.50'},
    {'y', '12.505', false}, {'y', '1e1', false}, {'y', '12.', false},
    {'z', '1,-2', {1, -2}}, {'z', '1,2.0', false},
}
local JSON = {
    {'x', '1000', 1000}, {'x', '1e3', 1000}, {'x', '1.0', 1},
    {'x', '1E+3', 1000}, {'x', '-0.5e1', -5}, {'x', '1200e-2', 12},
    {'x', '-0.0', 0}, {'x', '0e99', 0}, {'x', '1.5', false},
    {'x', '9007199254740992.0', 2 ^ 53}, {'x', '9007199254740993', false},
    {'x', '9007199254740993.0', false}, {'x', '1e16', false},
    {'x', '1e99', false}, {'x', '4503599627370497.3', false},
    {'x', '1.00000000000000000001', false}, {'x', '1e-400', false},
    {'x', '"1000"', 1000}, {'x', '"1e3"', false}, {'x', '"1.0"', false},
    {'x', 'true', false}, {'y', '12', '12.00'}, {'y', '1.2e1', '12.00'},
    {'y', '12.50', false}, {'y', '"12.50"', '12.50'}, {'y', '"1e1"', false},
    {'z', '[1e0, 2.0, 3]', {1, 2, 3}}, {'z', '[1, 2.5]', false},
}
--- What stands in a table of Lua.
local LUA = {
    {'x', '1000', 1000}, {'x', '1e3', 1000}, {'x', '1.0', 1},
    {'x', '1.5', false}, {'x', '2^53', 2 ^ 53}, {'x', '2^53 + 2', false},
    {'x', '0/0', false}, {'x', '"1000"', 1000}, {'x', '"1e3"', false},
    {'y', '12', '12.00'}, {'y', '12.5', false}, {'y', '"12.5"', '12.50'},
    {'z', '{1e0, 2.0}', {1, 2}}, {'z', '{2.5}', false},
}

local function percent(text)
    return (text:gsub('%W', function(c)
        return ('%%%02X'):format(c:byte())
    end))
end

local function document(name, case)
    return ('{"name":"%s","%s":%s}'):format(name, case[1], case[2])
end

--- Each door: its cases, and a line of the shell that keeps one as `name`.
local WRITES = {
    {'word', WORDS, function(name, case)
        return ('"$ATE" call nums keep name=%s %s=%s'):format(name, case[1],
            run.quote(case[2]))
    end},
    {'args', JSON, function(name, case)
        return '"$ATE" call nums keep --args '
            .. run.quote(document(name, case))
    end},
    {'line', JSON, function(name, case)
        return ('echo %s | "$ATE" call nums keep --jsonl -'):format(
            run.quote(document(name, case)))
    end},
    {'repl', LUA, function(name, case)
        return ('echo %s | "$ATE" repl nums'):format(run.quote(
            ('keep{name = "%s", %s = %s}'):format(name, case[1], case[2])))
    end},
    {'mount', WORDS, function(name, case)
        return ('echo %s > m/nums/keep'):format(run.quote(
            ('name=%s %s=%s'):format(name, case[1], case[2])))
    end, 'fuse'},
    {'text', JSON, function(name, case)
        return ('echo %s > m/nums/keep'):format(
            run.quote(document(name, case)))
    end, 'fuse'},
    {'file', JSON, function(name, case)
        return ('echo %s > m/nums/types/one/%s.json'):format(
            run.quote(document(name, case)), name)
    end, 'fuse'},
    {'body', JSON, function(name, case)
        return 'json POST /v1/nums/methods/keep '
            .. run.quote(document(name, case))
    end, 'rest'},
    {'path', WORDS, function(name, case)
        if case[1] ~= 'x' then
            return nil
        end
        return ('json PUT /v1/nums/keep/%s/%s "{}"'):format(name,
            percent(case[2]))
    end, 'rest'},
}

--- Fields that have bounds of their own.
local FAR = [[
local ate = require('ate')
local t = ate.types
local far = ate.schema('far', {doc = 'Far.', version = 1})
far:object('thing', {
    doc = 'A thing.', key = {'n'},
    header = {n = t.integer({min = 0, max = 500})},
})
far:view('all', {
    doc = 'All.', key = {'n'},
    row = {
        n = t.integer({min = 0, max = 500}),
        seen = t.default(t.boolean(), true),
    },
    fold = {thing = function(rows, thing) rows:set({thing.n}, {}) end},
})
local function takes(name, mode, file, args)
    far:method(name, {
        doc = 'Take ' .. name, mode = mode, args = args, file = file,
        returns = t.integer(), run = function(_, given) return given.n end,
    })
end
local n = t.integer({min = 0, max = 500})
takes('set', 'write', 'set', {
    n = n, price = t.optional(t.amount({scale = 2, max = 900})),
})
takes('tell', 'read', nil, {n = n})
takes('other', 'write', nil, {n = t.integer()})
return far
]]

--- What every door is asked, and what is there afterwards.
local function writes()
    local lines, want, got = {}, {}, {}
    for _, door in ipairs(WRITES) do
        for i, case in ipairs(door[2]) do
            local name = door[1] .. i
            local line = door[3](name, case)
            if line ~= nil and not (door[4] and run.is_without(door[4])) then
                lines[#lines + 1] = '{ ' .. line .. '; } >>out 2>&1'
                want[name] = case[3] and {case[1], case[3]} or nil
            end
        end
    end
    return lines, want, got
end

describe('every door', function()
    it('takes the same whole numbers', function()
        run.write(run.dir .. '/nums.lua', DOORS)
        run.ok('chain', 'create', 'nums', '--schema', run.dir .. '/nums.lua',
            '--accept', 'accept-all,serializer,structured-logic')
        local lines, want, got = writes()
        local mounts = not run.is_without('fuse') and '--mount m' or ''
        local serves = run.is_without('rest') and 'serve ' or 'open_rest '
        run.script(rest.PRELUDE .. serves .. mounts .. '\n'
            .. table.concat(lines, '\n') .. '\nstop')
        for _, one in ipairs(run.json('list', 'nums', 'one')) do
            local field = one.name:match('^%a+')
            for _, door in ipairs(WRITES) do
                if door[1] == field then
                    local case = door[2][tonumber(one.name:match('%d+$'))]
                    got[one.name] = {case[1], one[case[1]]}
                end
            end
        end
        assert.same(want, got)
    end)

    it('asks for whole numbers alike', function()
        if run.is_without('rest') then
            return
        end
        run.write(run.dir .. '/nums.lua', DOORS)
        run.ok('chain', 'create', 'nums', '--schema', run.dir .. '/nums.lua')
        local lines = {}
        for _, case in ipairs(WORDS) do
            lines[#lines + 1] = ('ask "$U/v1/nums/methods/tell?%s=%s"'):format(
                case[1], percent(case[2]))
            lines[#lines + 1] = case[3] and 'want 200' or 'want 400'
        end
        lines[#lines + 1] = 'ask "$U/v1/nums/events?limit=1e1"; want 400'
        lines[#lines + 1] = 'ask "$U/v1/nums/events?limit=0001"; want 200'
        run.script(rest.PRELUDE .. 'open_rest\n' .. table.concat(lines, '\n')
            .. '\nstop')
    end)

    it('tells the bound of the field to who is far beyond it', function()
        run.write(run.dir .. '/far.lua', FAR)
        run.ok('chain', 'create', 'far', '--schema', run.dir .. '/far.lua')
        local many = ('9'):rep(20)
        local told = "'" .. many .. "' is too large, at most "
        run.fails(2, 'set: n: ' .. told .. '500', 'call', 'far', 'set',
            'n=' .. many)
        run.fails(2, 'set: n: ' .. told .. '500', 'call', 'far', 'set',
            '--args', '{"n":"' .. many .. '"}')
        run.fails(2, "set: n: '%-" .. many .. "' is too small, at least 0",
            'call', 'far', 'set', 'n=-' .. many)
        run.fails(2, 'set: price: ' .. told .. '9.00', 'call', 'far', 'set',
            'n=1', 'price=' .. many)
        run.fails(2, 'set: n: want a whole number, got \'1.5\'', 'call', 'far',
            'set', 'n=1.5')
        run.fails(2, 'other: n: ' .. told .. '9007199254740992', 'call', 'far',
            'other', 'n=' .. many)
        run.fails(2, '%-%-limit is too large, at most 9007199254740992', 'list',
            'far', 'thing', '--limit', many)
        run.script(([[ printf 'set{n="MANY"}\n' >line
            "$ATE" repl far <line >repl 2>&1
            grep -qF "TOLD500" repl || fail "$(cat repl)"
        ]]):gsub('MANY', many):gsub('TOLD', told))
        if not run.is_without('rest') then
            run.script(rest.PRELUDE .. ([[
                open_rest
                ask "$U/v1/far/methods/tell?n=MANY"
                want 400 "n: TOLD500" '"pointer":"/n"'
                ask "$U/v1/far/methods/tell?n=x"
                want 400 "n: want a whole number, got 'x'" '"pointer":"/n"'
                ask "$U/v1/far/views/all?n=MANY"
                want 400 "TOLD500" '"pointer":"/n"'
                stop
            ]]):gsub('MANY', many):gsub('TOLD', told))
        end
        if not run.is_without('fuse') then
            run.script(rest.PRELUDE .. ([[
                serve --mount m
                echo 'n=MANY' 2>/dev/null >m/far/set && fail 'it took it'
                grep -qF "n: TOLD500" m/far/set.reply ||
                    fail "$(cat m/far/set.reply)"
                stop
            ]]):gsub('MANY', many):gsub('TOLD', told))
        end
    end)

    it('counts by digits alone', function()
        create()
        for _, count in ipairs({'1e1', '0x10', '1.0', ' 1', '-1'}) do
            run.fails(2, '%-%-limit is a whole number', 'list', 'shop', 'a',
                '--limit=' .. count)
        end
        run.ok('list', 'shop', 'a', '--limit', '0001')
    end)
end)
