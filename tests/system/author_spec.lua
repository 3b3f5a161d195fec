local run = require('helper')

before_each(run.begin)
after_each(run.finish)

describe('ate new', function()
    it('makes a schema whose tests pass', function()
        run.ok('new', run.dir .. '/my-shop')
        local done = run.shell('cd my-shop && ls -A && "$ATE" check my_shop.lua'
            .. ' && "$ATE" test && luacheck -q .')
        assert.equal(0, done.code, done.out .. done.err)
        assert.matches('^%.ate\n%.editorconfig\n%.luacheckrc\n%.luarc%.json\n'
            .. 'my_shop%.lua\nmy_shop_test%.lua\n'
            .. 'schema my_shop 1: 1 object, 1 event, 1 view, 2 rules, '
            .. '1 method; no warnings\n', done.out)
        assert.matches('\nok    money moves  %d+ calls, %d+ gas a call\n',
            done.out)
        assert.matches('\nreplay equal · %d+ gas a call\n'
            .. '3 passed, 0 failed\n', done.out)
    end)
end)

describe('ate new', function()
    it('refuses names that no schema can have', function()
        for _, name in ipairs({'end', 'nil', 'and', 'function', 'ate', 't',
            'account', ('a'):rep(65)}) do
            run.fails(2, name .. ' can not be the name of this schema: ', 'new',
                run.dir .. '/' .. name)
            assert.equal(0, os.execute('test ! -e ' .. run.dir .. '/' .. name))
        end
        run.ok('new', run.dir .. '/' .. ('a'):rep(64))
        run.shell('mkdir nil && touch nil/kept')
        run.fails(2, 'nil can not be', 'new', run.dir .. '/nil')
        assert.equal('kept\n', run.shell('ls -A nil').out)
    end)
end)

describe('the examples', function()
    for _, name in ipairs({'hello/hello', 'bank/bank', 'books/books',
        'wallet/wallet', 'escrow/escrow'}) do
        it('pass their tests: ' .. name, function()
            local path = run.root .. '/examples/' .. name
            run.ok('check', path .. '.lua')
            assert.matches('\n%d+ passed, 0 failed\n$',
                run.ok('test', path .. '_test.lua'))
        end)
    end

    -- What moves money has a test that tries to break each of its rules, and
    -- one that reads each of its views.
    for _, name in ipairs({'wallet', 'escrow'}) do
        it('are tried as a whole: ' .. name, function()
            local path = ('%s/examples/%s/%s'):format(run.root, name, name)
            local tests = run.read(path .. '_test.lua')
            local schema = run.json('check', path .. '.lua').schema
            for _, rule in ipairs(schema.rules) do
                assert(tests:find("t:refused('" .. rule.name .. "'", 1, true),
                    rule.name)
            end
            for _, view in ipairs(schema.views) do
                assert(tests:find("'" .. view.name .. "'", 1, true), view.name)
            end
            for _, method in ipairs(schema.methods) do
                assert(method.default or tests:find(
                    ("'%s'"):format(method.name), 1, true), method.name)
            end
        end)
    end

    it('mirror a view in a file, from where they stopped', function()
        run.bank()
        local ate = require('ate')
        local mirror = ('"$ATE" run %s/examples/mirror/mirror.lua bank balance '
            .. 'kept %%s --once'):format(run.root)
        run.ok('call', 'bank', 'transfer', 'from=alice', 'to=bob', 'amount=1')
        local done = run.shell(mirror:format(''))
        assert.equal(0, done.code, done.err)
        local first = ate.json.decode(run.read(run.dir .. '/kept'))
        assert.equal('1.00', first.rows.bob.amount)
        run.ok('call', 'bank', 'transfer', 'from=alice', 'to=bob', 'amount=2')
        run.shell(mirror:format(''))
        local second = ate.json.decode(run.read(run.dir .. '/kept'))
        assert.equal('3.00', second.rows.bob.amount)
        assert.is_true(second.at > first.at)
        assert.equal(2, run.shell('"$ATE" run ' .. run.root
            .. '/examples/mirror/mirror.lua').code)
        done = run.shell('"$ATE" run ' .. run.root
            .. '/examples/mirror/mirror.lua bank blance kept2')
        assert.equal('ate: no view "blance"\n', done.err)
        assert.equal(3, done.code)
    end)

    it('load without warnings, but for hello', function()
        for _, name in ipairs({'bank/bank', 'books/books', 'wallet/wallet',
            'escrow/escrow'}) do
            assert.matches('; no warnings\n$', run.ok('check', run.root
                .. '/examples/' .. name .. '.lua'))
        end
    end)
end)

describe('ate test', function()
    local function test_file(body)
        run.bank_schema()
        return run.write(run.dir .. '/t_test.lua', [[
local test = require('ate.test')
test.schema('bank.lua')
]] .. body)
    end

    it('runs the examples of docs/testing.md', function()
        run.bank_schema()
        local count = 0
        for example in run.read('docs/testing.md'):gmatch('```lua\n(.-)```') do
            local path = run.write(run.dir .. '/doc_test.lua', example)
            assert.matches('\nreplay equal · %d+ gas a call\n1 passed, 0 failed',
                run.ok('test', path))
            count = count + 1
        end
        assert.equal(2, count)
    end)

    it('lets several sign, and some act for others', function()
        local path = test_file([[
test.it('takes users', function(t)
    local alice, bob = t:user('alice'), t:user('bob')
    for _, wrong in ipairs({{}, {'bob'}, {bob, 'carol'}, {{}}}) do
        for _, name in ipairs({'with', 'with_root', 'acting_for'}) do
            local ok, said = pcall(alice[name], alice, unpack(wrong))
            t:ok(name == 'acting_for' and wrong[1] == bob
                or not ok and tostring(said):find('user:' .. name, 1, true),
                name)
        end
    end
end)
test.it('leaves a user as it was', function(t)
    local alice, bob = t:user('alice'), t:user('bob')
    local both = alice:with(bob)
    both:call('account.put', {name = 'a', owner = 'bob'})
    alice:call('account.put', {name = 'b', owner = 'alice'})
    t:refused('not_owner', alice, 'transfer',
        {from = 'a', to = 'b', amount = '1.00'})
    alice:with(t:user('carol')):with(bob):call('transfer',
        {from = 'a', to = 'b', amount = '1.00'})
    t:equal(#both:view('balance'), 2)
end)
test.schema('bank.lua', {accept = {'master-key-validator', 'serializer',
    'structured-logic'}})
test.it('has root keys sign', function(t)
    local alice, me = t:user('alice'), t:user('me')
    local args = {name = 'alice', owner = 'alice'}
    t:fails('DENIED', alice, 'account.put', args)
    t:fails('DENIED', alice:with(me), 'account.put', args)
    alice:with_root(me):call('account.put', args)
end)
]])
        assert.matches('\n3 passed, 0 failed\n$', run.ok('test', path))
    end)

    it('says where a claim failed', function()
        local path = test_file([[
test.it('is wrong', function(t)
    local alice, bob = t:user('alice'), t:user('bob')
    alice:call('account.put', {name = 'alice', owner = 'alice'})
    bob:call('account.put', {name = 'bob', owner = 'bob'})
    alice:call('transfer', {from = 'alice', to = 'bob', amount = '1.00'})
    t:equal(t:view('balance'), {
        {account = 'alice', amount = '-1.00'},
        {account = 'bob', amount = '2.00'},
    })
end)
test.it('is accepted', function(t)
    local alice = t:user('alice')
    t:refused('too_deep', alice, 'account.put', {name = 'a', owner = 'alice'})
end)
test.it('has another reason', function(t)
    local alice, bob = t:user('alice'), t:user('bob')
    alice:call('account.put', {name = 'a', owner = 'alice'})
    alice:call('account.put', {name = 'b', owner = 'alice'})
    t:refused('too_deep', bob, 'transfer', {from = 'a', to = 'b', amount = '1'})
end)
test.it('raises', function(t)
    error('oh')
end)
test.it('raises what can not be shown', function(t)
    error(setmetatable({}, {__index = error, __tostring = error}))
end)
test.it('raises a table', function(t)
    error({failure = true, code = 'X'})
end)
test.it('passes', function(t)
    t:fails('INVALID', t:user('me'), 'transfer', {from = 1})
    t:advance('1 day')
    t:at('2026-06-01')
end)
]])
        local done = run.ate('test', path)
        assert.equal(1, done.code, done.err)
        assert.matches('FAIL  is wrong\n +%S+t_test.lua:%d+: at %[2%]%.amount: '
            .. "expected '2.00'\n +got '1.00'", done.out)
        assert.matches('FAIL  is accepted\n[^\n]+account%.put: expected a '
            .. 'refusal by too_deep, but it was accepted', done.out)
        assert.matches('FAIL  has another reason\n[^\n]+expected a refusal by '
            .. 'too_deep, got .*not_owner', done.out)
        assert.matches('FAIL  raises\n[^\n]+t_test.lua:%d+: oh', done.out)
        assert.matches('FAIL  raises what can not be shown\n[^\n]+t_test.lua: '
            .. 'an error that is a table, and that can not be shown', done.out)
        assert.matches('FAIL  raises a table\n[^\n]+table: 0x', done.out)
        assert.matches('\nreplay equal · %d+ gas a call\n1 passed, 6 failed\n$',
            done.out)
        local json = require('ate').json.decode(run.ate('test', path,
            '--json').out)
        assert.equal(1, json.passed)
        assert.equal(6, json.failed)
        assert.is_true(json.replay_equal)
        done = run.ate('test', path, '--only', 'passes')
        assert.equal(0, done.code)
        assert.matches('\n1 passed, 0 failed\n$', done.out)
    end)

    it('and ate run tell a schema from what they run', function()
        run.write(run.dir .. '/bank.lua', run.read('examples/bank/bank.lua'))
        local said = 'bank.lua:%d+: this is a schema: ate check FILE looks'
        run.fails(1, said, 'test', run.dir .. '/bank.lua')
        run.fails(1, said, 'run', run.dir .. '/bank.lua')
    end)

    it('says how somebody comes to have a key', function()
        local done = run.ate('test', test_file([[
test.it('names nobody', function(t)
    t:user('me'):call('account.put', {name = 'a', owner = 'alice'})
end)
]]))
        assert.matches("no key 'alice'; [^\n]* %(NOT_FOUND%); "
            .. "t:user%('NAME'%) makes one\n", done.out)
    end)

    it('tells of no replay where nothing was replayed', function()
        local path = test_file([[
test.it('opens nothing', function() end)
]])
        run.write(run.dir .. '/bank.lua', 'return nothing.at.all\n')
        local done = run.ate('test', path)
        assert.equal(1, done.code)
        assert.not_matches('replay', done.out)
        assert.is_nil(require('ate').json.decode(run.ate('test', path,
            '--json').out).replay_equal)
    end)

    it('gives what a method returned, also false', function()
        local path = test_file([[
test.it('is closed', function(t)
    local is_open, receipt = t:user('me'):call('is_open', {})
    t:equal(is_open, false)
    t:ok(receipt.gas > 0)
end)
]])
        local text = run.read(run.dir .. '/bank.lua')
        run.write(run.dir .. '/bank.lua', (text:gsub('return bank%s*$', [[
bank:method('is_open', {
    doc = 'Is it open?', mode = 'write', args = {}, returns = t.boolean(),
    run = function(ctx)
        ctx:put('account', {name = 'x', owner = ctx.author})
        return false
    end,
})
%0]])))
        assert.matches('\n1 passed, 0 failed', run.ok('test', path))
    end)

    it('refuses files that are no tests', function()
        run.fails(3, 'no %*_test.lua in this folder', 'test')
        run.fails(3, 'nosuch_test.lua', 'test', run.dir .. '/nosuch_test.lua')
        run.fails(1, 't_test.lua:4: ', 'test', test_file('\nlocal = 1'))
        run.fails(3, 'declares no test', 'test', test_file(''))
    end)
end)

describe('a schema with mistakes', function()
    local function check(code, pattern, change)
        local path = run.bank_schema()
        local text, count = run.read(path):gsub(change[1], change[2])
        assert(count > 0, change[1])
        run.write(path, text)
        run.fails(code, 'bank.lua:%d+', 'check', path)
        return run.fails(code, pattern, 'check', path)
    end

    it('is refused with file, line, path and a suggestion', function()
        check(2, 'acount.*account', {"t%.ref%('account'%)", "t.ref('acount')"})
        check(2, 'rset', {"rest = 'POST", "rset = 'POST"})
        check(2, 'doc', {"    doc = 'What each account holds%.',\n", ''})
        check(2, 'trasnfer', {"on = {'transfer'}", "on = {'trasnfer'}"})
        check(2, 'amount', {"t%.amount%(", "t.amuont("})
    end)

    it('with broken Lua says the line', function()
        local path = run.write(run.dir .. '/broken.lua', 'local ate =\n= 1\n')
        local done = run.ate('check', path)
        assert.is_true(done.code == 1 or done.code == 2)
        assert.matches('broken.lua:2', done.err)
        run.write(run.dir .. '/late.lua', 'local x = nil\nreturn x.y\n')
        done = run.ate('check', run.dir .. '/late.lua')
        assert.is_true(done.code == 1 or done.code == 2)
        assert.matches('late.lua:2', done.err)
    end)

    it('that loops or eats memory ends with an error', function()
        run.write(run.dir .. '/loop.lua', 'while true do end\n')
        local done = run.ate('check', run.dir .. '/loop.lua')
        assert.equal(1, done.code, done.err)
        assert.matches('^ate: .*loop.lua', done.err)
        run.write(run.dir .. '/eat.lua', [[
local list = {}
while true do
    list[#list + 1] = ('x'):rep(60000) .. #list
end
]])
        done = run.ate('check', run.dir .. '/eat.lua')
        assert.equal(1, done.code, done.err)
        assert.matches('^ate: .*eat.lua', done.err)
    end)

    -- 8 refs in a key whose type has 8 refs in its key, and so on.
    it('whose keys hold each other is read at once', function()
        local path = run.write(run.dir .. '/knot.lua', [[
local ate = require('ate')
local knot = ate.schema('knot', {doc = 'd', version = 1})
local key, header = {}, {}
for i = 1, 8 do
    key[i] = 'a' .. i
    header[key[i] ] = ate.types.ref('loop1')
end
for i = 1, 32 do
    knot:object('loop' .. i, {doc = 'd', key = key, header = header})
end
return knot
]])
        assert.equal('', run.shell(('timeout 20 "$ATE" check %s >/dev/null '
            .. '|| echo too long'):format(run.quote(path))).out)
    end)

    it('has no way out of its sandbox', function()
        for _, code in ipairs({'io.open("/etc/passwd")', 'os.execute("id")',
            'require("ffi")', 'loadstring("return 1")()', 'debug.getinfo(1)',
            'package.loaded.x = 1', 'collectgarbage()', 'print(1)'}) do
            local path = run.write(run.dir .. '/out.lua', code .. '\n')
            local done = run.ate('check', path)
            assert.is_true(done.code == 1 or done.code == 2, code)
            assert.matches('out.lua', done.err)
        end
    end)

    it('warns of what no rule protects', function()
        local path = run.bank_schema()
        local text = run.read(path):gsub(
            "bank:rule%('not_owner'.-\n}%)\n", '')
        run.write(path, text)
        local done = run.ate('check', path)
        assert.equal(0, done.code, done.err)
        assert.matches('warning: .*transfer', done.out)
        assert.equal(1, run.ate('check', path, '--strict').code)
    end)
end)

describe('a schema as data', function()
    it('tells how many pieces keys have, when all have as many', function()
        local path = run.dir .. '/keys.lua'
        run.write(path, [[
local ate = require('ate')
local t = ate.types
local keys = ate.schema('keys', {doc = 'd', version = 1})
local function object(name, key, parent, header)
    keys:object(name, {doc = 'd', key = key, parent = parent, header = header})
end
object('house', {'name'}, nil, {name = t.name()})
object('room', {'house', 'n'}, 'house',
    {house = t.ref('house'), n = t.integer()})
object('shelf', {'name'}, 'room', {room = t.ref('room'), name = t.name()})
object('way', {'from', 'to'}, nil,
    {from = t.ref('room'), to = t.ref('shelf')})
object('folder', {'name'}, 'above',
    {above = t.optional(t.ref('folder')), name = t.name()})
object('tag', {'folder', 'n'}, nil,
    {folder = t.ref('folder'), n = t.integer()})
keys:event('seen', {doc = 'd', header = {n = t.integer()}})
object('sight', {'seen'}, nil, {seen = t.ref('seen')})
return keys
]])
        local pieces = {}
        for _, type_ in ipairs(run.json('check', path).schema.types) do
            pieces[type_.name] = type_.pieces or 'it varies'
        end
        assert.same({house = 1, room = 2, shelf = 3, way = 5, seen = 1,
            sight = 1, folder = 'it varies', tag = 'it varies'}, pieces)
    end)
end)

describe('a rule that loops or eats memory', function()
    local function rule(body)
        local path = run.bank_schema()
        run.write(path, (run.read(path):gsub(
            'check = function%(state, transfer%)',
            '%0\ndo ' .. body .. ' end')))
        run.bank_text = nil
    end

    -- Whatever a schema does, the chain goes on and nothing of the call stays.
    it('refuses the call and nothing else', function()
        for _, body in ipairs({'while true do end',
            "local l = {} while true do l[#l + 1] = ('x'):rep(60000) .. #l end",
            'local function f() return 1 + f() end f()',
            'local x; if x.y then return true end'}) do
            run.begin()
            rule(body)
            local done = run.shell([[
                set -e
                "$ATE" chain create bank --schema bank.lua --accept accept-all,serializer,structured-logic
                "$ATE" call bank account.put name=alice owner=me
                "$ATE" call bank account.put name=bob owner=me
            ]])
            assert.equal(0, done.code, done.err)
            local before = run.json('chain', 'info', 'bank')
            done = run.ate('call', 'bank', 'transfer', 'from=alice', 'to=bob',
                'amount=1')
            assert.is_true(done.code == 1 or done.code == 6, done.err)
            assert.matches('^ate: bank', done.err)
            local after = run.json('chain', 'info', 'bank')
            assert.equal(before.root, after.root)
            run.ok('call', 'bank', 'account.put', 'name=carol', 'owner=me')
            run.ok('chain', 'verify', 'bank')
            run.finish()
        end
        run.begin()
    end)
end)

describe('the text of a rule', function()
    it('tells an amount in the unit that the event names', function()
        run.write(run.dir .. '/a.lua', [[
local ate = require('ate')
local t = ate.types
local a = ate.schema('a', {doc = 'Loads.', version = 1})
a:object('unit', {
    doc = 'What is counted.', key = {'code'},
    header = {code = t.name(), scale = t.once(t.integer())},
    off = {'patch', 'delete'},
})
a:event('load', {
    doc = 'A load.',
    header = {unit = t.ref('unit'), amount = t.amount({of = 'unit'})},
})
a:rule('max', {
    doc = 'A load is light.', on = {'load'},
    text = '{amount} is more than {most} {unit}',
    says = {most = t.amount({of = 'unit'})},
    check = function(_, load)
        return load.amount <= 5000 or ate.deny({most = 5000})
    end,
})
return a
]])
        run.ok('chain', 'create', 'a', '--schema', run.dir .. '/a.lua',
            '--accept', 'accept-all,serializer,structured-logic')
        run.ok('call', 'a', 'unit.put', 'code=kg', 'scale=3')
        run.fails(6, '7.500 is more than 5.000 kg', 'call', 'a', 'load.append',
            'unit=kg', 'amount=7.5')
    end)
end)
