--- Whole numbers and amounts end where Lua's do: what somebody stored beyond
-- would fail whoever reads it, for ever.
local run = require('helper')
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
