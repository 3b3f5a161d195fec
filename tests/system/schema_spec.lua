--- Another schema for a chain, from outside: planned, refused, applied, signed
-- in several places, met by readers.
local run = require('helper')
local ate = require('ate')
local bundles = require('ate.client.bundles')
local growing = require('ate.client.growing')
local session = require('ate.client.session')

local root = run.root .. '/'

before_each(run.begin)
after_each(run.finish)

local function schema(version, rest)
    return run.write(('%s/shop%d.lua'):format(run.dir, version), ([[
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {
    doc = 'A shop.', version = %d, bodies = 'open',
})
%s
return shop
]]):format(version, rest))
end

local ITEM = [[
shop:object('item', {
    doc = 'Something to sell.',
    key = {'name'},
    header = {name = t.name(), price = t.text()},
})
]]

local NUMBER = [[
shop:object('item', {
    doc = 'Something to sell.',
    key = {'name'},
    header = {name = t.name(), price = t.integer({min = 0})},
    %s
})
]]

local UPGRADE = [[
upgrade = {[1] = function(old)
        old.price = tonumber(old.price) or 0
        return old
    end},]]

local SUM = [[
shop:view('worth', {
    doc = 'What all is worth.',
    key = {'k'},
    row = {k = t.integer(), sum = t.default(t.integer(), 0)},
    fold = {item = function(rows, item)
        local was = item.before and item.before.price or 0
        rows:add(1, {sum = item.price - was})
    end},
})
]]

local BAD = [[
shop:view('bad', {
    doc = 'Prices were texts.',
    key = {'k'},
    row = {k = t.integer(), sum = t.default(t.integer(), 0)},
    fold = {item = function(rows, item)
        rows:add(1, {sum = item.price})
    end},
})
]]

local SMALL = [[
shop:rule('small', {
    doc = 'Nothing is dear.',
    on = {'item'},
    text = '{name} is too dear',
    check = function(_, item)
        return item.price <= 10 or ate.deny({name = item.name})
    end,
})
]]

local function is_good(folder)
    assert.matches('all as recorded[^\n]*\n$', run.ok('chain', 'verify',
        'shop', unpack(folder and {'--data', run.dir .. '/' .. folder} or {})))
end

local function checks_out()
    local path = run.path('shop')
    local done = run.shell(run.quote(root .. 'checker/cli.mjs') .. ' --strict '
        .. run.quote(path))
    assert.equal('', done.err)
    assert.equal(0, done.code)
end

local function shop()
    run.ok('chain', 'create', 'shop', '--schema', schema(1, ITEM))
    run.ok('call', 'shop', 'item.put', 'name=hat', 'price=12')
    run.ok('call', 'shop', 'item.put', 'name=sock', 'price=3')
end

describe('ate schema plan', function()
    it('says of a file that was renamed that nothing else differs', function()
        local one = schema(1, ITEM)
        run.ok('chain', 'create', 'shop', '--schema', one)
        local other = run.write(run.dir .. '/other.lua', run.read(one))
        for _, verb in ipairs({'plan', 'apply'}) do
            run.fails(2, 'schema shop: only names of files differ from the '
                .. 'one in force, other was shop1: there is nothing to change',
                'schema', verb, 'shop', other)
        end
        run.write(other, (run.read(one):gsub('A shop', 'Another shop')))
        run.fails(2, 'its version is 1 as before; count it up', 'schema',
            'plan', 'shop', other)
    end)

    it('says that there is nothing to do, and exits 0', function()
        shop()
        assert.equal('nothing to do: this is the schema in force\n',
            run.ok('schema', 'plan', 'shop', run.dir .. '/shop1.lua'))
        assert.same({}, run.json('schema', 'plan', 'shop',
            run.dir .. '/shop1.lua').changes)
    end)

    it('says what would change, exits 5 and changes nothing', function()
        shop()
        local before = run.json('chain', 'info', 'shop', '--state')
        local two = schema(2, NUMBER:format(UPGRADE) .. SUM .. SMALL)
        local done = run.ate('schema', 'plan', 'shop', two)
        assert.equal(5, done.code, done.err)
        assert.matches('\n1 of 2 events keep their verdict; 2 events to '
            .. 'convert\nwhat is in the log stays; the first that would be '
            .. 'refused now is transaction 2: small: hat is too dear\n$',
            done.out)
        assert.matches('worth', done.out)
        done = run.ate('schema', 'plan', 'shop', two, '--json')
        assert.equal(5, done.code)
        local report = ate.json.decode(done.out)
        assert.equal(2, report.converted)
        assert.equal(1, report.refused)
        assert.equal(2, report.version)
        assert.same(before, run.json('chain', 'info', 'shop', '--state'))
    end)

    it('tells what changed wherever it stands', function()
        shop()
        run.ok('schema', 'apply', 'shop', schema(2, NUMBER:format(UPGRADE)))
        local version = 3
        local function changes(rest)
            local done = run.ate('schema', 'plan', 'shop', schema(version, rest),
                '--json')
            assert.equal(5, done.code, done.err)
            return ate.json.decode(done.out).changes
        end
        assert.same({}, changes(NUMBER:format(UPGRADE)))
        assert.same({'type item changed'},
            changes(NUMBER:format((UPGRADE:gsub('or 0', 'or 100')))))

        local function far(limit, sum, kinds)
            local lines = {('local most, sum, kinds = %d, ate.int.%s, {%s}'):format(
                limit, sum, kinds)}
            lines[2] = 'local function f1() return most + #kinds end'
            for i = 2, 9 do
                lines[i + 1] = ('local function f%d() return f%d() end'):format(
                    i, i - 1)
            end
            return NUMBER:format(UPGRADE) .. table.concat(lines, '\n') .. [[

shop:rule('far', {doc = 'd', on = {'item'}, check = function(_, item)
    return sum(item.price, 1) < f9()
end})
]]
        end
        local was = far(100, 'add', '[-1] = 5')
        run.ok('schema', 'apply', 'shop', schema(3, was))
        version = 4
        assert.same({}, changes('\n' .. was))
        for _, other in ipairs({far(1000, 'add', '[-1] = 5'),
            far(100, 'sub', '[-1] = 5'), far(100, 'add', '[-1] = 6'),
            far(100, 'add', '[true] = 5')}) do
            assert.same({'rule far changed'}, changes(other))
        end
    end)

    it('tells what workers would never do, and what they would do again',
        function()
            local rest = [[
shop:event('order', {doc = 'd', header = {at = t.time()}})
shop:event('paid', {doc = 'd', header = {order = t.ref('order')}})
shop:view('due', {doc = 'd', key = {'order'},
    row = {order = t.ref('order'), at = t.time()},
    fold = {order = function(rows, order)
        rows:set(order.id, {at = order.at})
    end}})
shop:worker('pay', {doc = 'd', due = {'due', 'at'}, run = function(ctx, row)
    ctx:emit('paid', {order = row.order})
end})
shop:worker('note', {doc = 'd', on = {'order'}, run = function() end})
]]
            run.ok('chain', 'create', 'shop', '--schema', schema(1, rest),
                '--accept', 'accept-all,serializer,structured-logic')
            run.ok('call', 'shop', 'order.append', 'at=2020-01-01')
            run.ok('worker', 'run', 'shop')
            run.ok('call', 'shop', 'order.append', 'at=2020-01-02')
            local function plan(before, after)
                local two = schema(2, (rest:gsub(before, after)))
                local done = run.ate('schema', 'plan', 'shop', two, '--json')
                assert.equal(5, done.code, done.err)
                return ate.json.decode(done.out).work,
                    run.ate('schema', 'plan', 'shop', two).out
            end
            assert.same({}, (plan('doc', 'doc')))
            assert.same({{worker = 'pay', dropped = 1, new = 2}},
                (plan('at = order.at}', 'at = order.at + 1}')))
            local work, said = plan("worker%('", "worker('re")
            assert.same({
                {worker = 'repay', dropped = 0, new = 2},
                {worker = 'note', dropped = 1, new = 0},
                {worker = 'pay', dropped = 1, new = 0},
            }, work)
            assert.matches('\nworker repay gets 2 things to do\nworker note '
                .. 'never does 1 thing that waits\n', said)
        end)

    it('refuses what would break what is stored, and says why', function()
        shop()
        local function refused(code, pattern, rest, version)
            run.fails(code, pattern, 'schema', 'plan', 'shop',
                schema(version or 2, rest))
        end
        refused(2, 'shop: plan: shop%.item%.price is of another kind '
            .. '%(shop2%.lua:6%); types only grow, the rest takes upgrade = '
            .. '{%[1%] = function%(old%) %.%.%. end}', NUMBER:format(''))
        refused(2, 'shop%.item: is gone; types only grow %(turn its methods '
            .. 'off instead%)', '')
        -- Not 5, which is an answer of plan.
        refused(2, 'its version is 1 as before; count it up', ITEM .. SUM, 1)
        refused(1, 'transaction 2: event 0: upgrade of shop%.item: [^\n]*no',
            NUMBER:format('upgrade = {[1] = function() error("no") end},'))
        refused(7, "upgrade of shop%.item: ran longer than %d+ steps at "
            .. "shop2%.lua:%d+; that is this schema's function, which has to "
            .. 'do less or to end: it is not put in force, and what was in '
            .. 'force stays\n$', NUMBER:format(
                'upgrade = {[1] = function() while true do end end},'))
        refused(1, 'transaction 2: event 0: view bad, fold of item: ', ITEM .. BAD)
        run.fails(3, "no chain 'away'", 'schema', 'plan', 'away',
            schema(2, ITEM))
        run.fails(3, 'away%.lua', 'schema', 'plan', 'shop',
            run.dir .. '/away.lua')
        is_good()
    end)
end)

describe('ate schema apply', function()
    it('puts a schema in force', function()
        shop()
        local two = schema(2, NUMBER:format(UPGRADE) .. SUM)
        assert.matches('^ate%.activate  index %d+  root %x+…  durable ',
            run.ok('schema', 'apply', 'shop', two))
        assert.equal(2, run.json('chain', 'info', 'shop').version)
        assert.equal(15, run.json('view', 'shop', 'worth')[1].sum)
        assert.equal(12, run.json('get', 'shop', 'item', 'hat').price)
        run.fails(2, 'price', 'call', 'shop', 'item.put', 'name=cap',
            'price=dear')
        run.ok('call', 'shop', 'item.put', 'name=cap', 'price=1')
        assert.equal(16, run.json('view', 'shop', 'worth')[1].sum)
        assert.equal('nothing to do: this is the schema in force\n',
            run.ok('schema', 'apply', 'shop', two))
        is_good()
        checks_out()
        local back = schema(1, ITEM)
        run.fails(2, 'version 1 follows on 2', 'schema', 'apply', 'shop', back)
    end)

    it('leaves no trace of what the log cannot take', function()
        shop()
        local size = run.json('chain', 'info', 'shop').size
        local bad = schema(2, ITEM .. BAD)
        local apply = {'schema', 'apply', 'shop', bad}
        run.fails(1, 'view bad, fold of item', unpack(apply))
        apply[#apply + 1] = '--propose'
        run.fails(1, 'view bad, fold of item', unpack(apply))
        local info = run.json('chain', 'info', 'shop')
        assert.equal(size, info.size)
        assert.is_nil(info.next_bundle)
        run.ok('schema', 'apply', 'shop', schema(2, NUMBER:format(UPGRADE)))
        is_good()
    end)

    it('goes on where a bundle came and was not put in force', function()
        shop()
        local two = schema(2, NUMBER:format(UPGRADE))
        local offer = run.write(run.dir .. '/offer', run.ok('schema', 'apply',
            'shop', two, '--propose'))
        run.ok('proposal', 'submit', offer)
        local info = run.json('chain', 'info', 'shop')
        assert.equal(1, info.version)
        assert.equal(64, #info.next_bundle)
        local told = run.ok('schema', 'apply', 'shop', two)
        -- What took long has a heartbeat in front.
        local index = told:match('^ate%.activate  index (%d+)  ')
        assert.is_true(tonumber(index) >= info.size, told)
        info = run.json('chain', 'info', 'shop')
        assert.equal(2, info.version)
        assert.is_nil(info.next_bundle)
        is_good()
        checks_out()
    end)

    it('says which upgrade is still needed', function()
        shop()
        run.ok('schema', 'apply', 'shop', schema(2, NUMBER:format(UPGRADE)))
        for _, verb in ipairs({'plan', 'apply'}) do
            run.fails(2, 'version 1 stored it, shop%.item%.price is of '
                .. 'another kind, and there is no upgrade%[1%] '
                .. '%(shop3%.lua:6%); keep that as long as the log has events '
                .. 'of version 1: ', 'schema', verb, 'shop',
                schema(3, NUMBER:format('')))
        end
        is_good()
    end)

    it('takes root keys', function()
        shop()
        run.ok('key', 'new', 'bob')
        run.fails(4, "it takes the chain's root keys", 'schema', 'apply',
            'shop', schema(2, ITEM), '--as', 'bob')
    end)
end)

describe('putting a schema in force', function()
    local node

    --- As `node`, but somebody else does something before each activation.
    local function with_rival(rival)
        return {
            read = function(_, ...)
                return node:read(...)
            end,
            call = function(_, chain, method, ...)
                if method == 'ate.activate' then
                    local err = rival()
                    if err ~= nil then
                        return nil, err
                    end
                end
                return node:call(chain, method, ...)
            end,
        }
    end

    local function bring(bundle)
        assert(node:call('shop', 'ate.bundle', {bundle = ate.bin(bundle)}))
    end

    local function activate()
        assert(node:call('shop', 'ate.activate', {}))
    end

    before_each(function()
        shop()
        node = assert(session.open(run.data, {}))
    end)

    after_each(function()
        node:close()
    end)

    it('says that it was overtaken, and to repeat', function()
        local two = assert(bundles.load(schema(2, ITEM)))
        local three, loaded = bundles.load(schema(3, ITEM .. SUM:gsub(
            'item%.price %- was', '1')))
        local rivals = {
            -- It put what came last in force, which is ours.
            {says = ', which put this one in force: nothing is left to do$',
                run = activate},
            {says = ': .*names another bundle than the one that came last; '
                .. 'repeat the command',
                run = function()
                    bring(assert(bundles.load(schema(4, ITEM))))
                end},
            {says = ': another bundle .* just now; repeat the command',
                run = function()
                    return ate.error('CONFLICT',
                        'another bundle is being activated just now')
                end},
        }
        bring(two)
        activate()
        for _, rival in ipairs(rivals) do
            local info = assert(node:read('shop', 'info'))
            local done, err = growing.activate(with_rival(rival.run), 'shop',
                info, three, loaded.hash)
            assert.is_nil(done)
            assert.equal('CONFLICT', err.code)
            assert.matches('^overtaken by another change of the schema'
                .. rival.says, err.text)
            three, loaded = bundles.load(schema(5, ITEM))
        end
        local info = assert(node:read('shop', 'info'))
        assert.equal(3, info.version) -- what others brought is not in force
        assert(growing.activate(with_rival(function() end), 'shop', info,
            three, loaded.hash))
        assert.equal(5, assert(node:read('shop', 'info')).version)
    end)

    it('is the one that is named, or none', function()
        bring(assert(bundles.load(schema(2, ITEM))))
        local function activate_named(bundle)
            return node:call('shop', 'ate.activate', {bundle = bundle})
        end
        local _, err = activate_named(('0'):rep(64))
        assert.equal('CONFLICT', err.code)
        for _, text in ipairs({'', 'xyz', ('0'):rep(63), ('g'):rep(64)}) do
            _, err = activate_named(text)
            assert.equal('INVALID', err.code)
            assert.matches('bundle is 64 hexadecimal digits', err.text)
        end
        assert.equal(1, assert(node:read('shop', 'info')).version)
        assert(activate_named(assert(node:read('shop', 'info')).next_bundle))
        assert.equal(2, assert(node:read('shop', 'info')).version)
    end)

    it('says which function of it ran too long', function()
        bring(assert(bundles.load(schema(2, NUMBER:format(
            'upgrade = {[1] = function() while true do end end},')))))
        node:close()
        run.fails(7, 'shop schema: bundle: transaction 2: event 0: upgrade of '
            .. 'shop%.item: ran longer than %d+ steps at shop2%.lua:%d+; that '
            .. "is this schema's function", 'schema', 'apply', 'shop',
            run.dir .. '/shop2.lua')
    end)
end)

describe('root keys in two folders', function()
    local function within(folder, words)
        local list = {unpack(words)}
        list[#list + 1] = '--data'
        list[#list + 1] = run.dir .. '/' .. folder
        return unpack(list)
    end

    local function ok(folder, ...)
        return run.ok(within(folder, {...}))
    end

    local function save(name, text)
        return run.write(run.dir .. '/' .. name, text)
    end

    it('put a schema in force by proposals', function()
        ok('a', 'key', 'new', 'ann')
        ok('a', 'key', 'new', 'bob')
        ok('b', 'key', 'new', 'cy')
        ok('a', 'key', 'add', 'cy', save('cy.pub', ok('b', 'key', 'show', 'cy',
            '--public')))
        ok('a', 'chain', 'create', 'shop', '--schema', schema(1, ITEM),
            '--root', 'ann', '--root', 'bob', '--root', 'cy', '--threshold',
            '2', '--accept', 'accept-all,serializer,structured-logic')
        ok('a', 'call', 'shop', 'item.put', 'name=hat', 'price=12')
        local two = schema(2, NUMBER:format(UPGRADE) .. SUM)
        local apply = {'schema', 'apply', 'shop', two, '--as', 'ann', '--root',
            'cy', '--propose'}
        for _, step in ipairs({'ate.bundle', 'ate.activate'}) do
            local done = run.ate(within('a', apply))
            assert.equal(0, done.code, done.err)
            assert.equal(step == 'ate.bundle', done.err:find('when that is '
                .. 'submitted, the same command', 1, true) ~= nil)
            local offer = save('offer', done.out)
            assert.matches(step, ok('a', 'proposal', 'show', offer))
            run.fails(4, "it takes the chain's root keys", within('a',
                {'proposal', 'submit', offer}))
            local signed = save('signed', ok('b', 'proposal', 'sign', offer,
                '--as', 'cy', '--root'))
            ok('a', 'proposal', 'submit', signed)
            assert.is_true(ate.json.decode(ok('a', 'proposal', 'submit',
                signed, '--json'))[1].known)
        end
        assert.equal('nothing to do: this is the schema in force\n',
            ok('a', unpack(apply)))
        local rows = ate.json.decode(ok('a', 'view', 'shop', 'worth',
            '--json'))
        assert.equal(12, rows[1].sum)
        is_good('a')
    end)

    it('cannot put one in force that came before another', function()
        ok('a', 'key', 'new', 'ann')
        ok('a', 'key', 'new', 'bob')
        ok('a', 'chain', 'create', 'shop', '--schema', schema(1, ITEM),
            '--root', 'ann', '--root', 'bob', '--threshold', '1')
        ok('a', 'call', 'shop', 'item.put', 'name=hat', 'price=12', '--as',
            'ann')
        local two = schema(2, NUMBER:format(UPGRADE))
        local first = save('first', ok('a', 'schema', 'apply', 'shop', two,
            '--as', 'ann', '--propose'))
        ok('a', 'proposal', 'submit', first)
        local active = save('active', ok('a', 'schema', 'apply', 'shop', two,
            '--as', 'ann', '--propose'))
        local three = schema(3, NUMBER:format(UPGRADE) .. SUM)
        ok('a', 'proposal', 'submit', save('third', ok('a', 'schema', 'apply',
            'shop', three, '--as', 'bob', '--propose')))
        run.fails(5, 'another bundle than the one that came last', within('a',
            {'proposal', 'submit', active}))
        ok('a', 'schema', 'apply', 'shop', three, '--as', 'bob')
        run.fails(5, 'another bundle than the one in force', within('a', {'proposal', 'submit', active}))
        assert.equal(3, ate.json.decode(ok('a', 'chain', 'info', 'shop',
            '--json')).version)
        is_good('a')
    end)
end)
