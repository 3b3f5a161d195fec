--- Chains that were written once, tests/golden: read from outside, and by the
-- checker, which knows docs/format.md alone.
local run = require('helper')
local rest = require('rest_helper')
local ate = require('ate')

local root = run.root .. '/'
local GOLDEN = root .. 'tests/golden/1/'

before_each(run.begin)
after_each(run.finish)

--- What its chain adds up to.
local function expected(name)
    local found = {}
    for word, value in run.read(GOLDEN .. name .. '/expected')
        :gmatch('(%S+) ([^\n]+)\n') do
        found[word] = value
    end
    return found
end

--- A data folder with this chain in it, and nothing else.
local function install(name)
    local want = expected(name)
    local done = run.shell(([[
        mkdir -p "$ATE_DATA/%s"
        cp -r %s "$ATE_DATA/%s/%s"
        rm "$ATE_DATA/%s/%s/expected"
    ]]):format(want.id:sub(1, 2), run.quote(GOLDEN .. name),
        want.id:sub(1, 2), want.id, want.id:sub(1, 2), want.id))
    assert.equal(0, done.code, done.err)
    return want
end

local function check(name)
    return run.shell(run.quote(root .. 'checker/cli.mjs') .. ' --strict '
        .. run.quote(GOLDEN .. name) .. ' --root ' .. expected(name).root)
end

describe('a golden chain', function()
    it('is what it was', function()
        for _, name in ipairs({'land', 'shop', 'wide'}) do
            run.finish()
            run.begin()
            local want = install(name)
            local info = run.json('chain', 'info', 'test', '--state')
            assert.equal(want.id, info.id)
            assert.equal(want.size, tostring(info.size))
            assert.equal(want.root, info.root)
            assert.equal(want.state_root, info.state_root)
            assert.equal('open', info.state)
            assert.matches('all as recorded', run.ok('chain', 'verify',
                'test'))
            assert.matches('all as recorded', run.ok('chain', 'verify',
                '--path', GOLDEN .. name))
        end
    end)

    it('is good for the checker', function()
        for _, name in ipairs({'land', 'shop', 'wide'}) do
            local done = check(name)
            assert.equal('', done.err)
            assert.equal(0, done.code)
            assert.matches('^' .. expected(name).size .. ' transactions, ',
                done.out)
        end
    end)
end)

--- Its schema is from before numbers that nothing bounds ended at 2^53: what
-- was accepted then stays what it was, and so does its schema.
describe('a chain of numbers beyond 2^53', function()
    it('keeps its verdicts', function()
        install('wide')
        local lines = run.ok('list', 'test', 'thing')
        assert.matches('least  %-9223372036854775808', lines)
        assert.matches('some       9007199254740993', lines)
        assert.matches('180000000000000%.00', run.ok('view', 'test', 'total'))
    end)

    it('shows them as they are, at every door', function()
        install('wide')
        for _, read in ipairs({'get', 'history'}) do
            assert.matches('"number":9007199254740993}', run.ok(read, 'test',
                'thing', 'some', '--json'))
        end
        run.write(run.dir .. '/read.lua', [[
            local chain = require('ate').open():chain('test')
            assert(chain:get('thing', 'some').number == 9007199254740993LL)
        ]])
        run.ok('run', run.dir .. '/read.lua')
        if not run.is_without('rest') then
            run.script(rest.PRELUDE .. [[
                open_rest
                ask "$U/v1/test/types/thing/some"
                want 200 '"number":"9007199254740993"'
                stop
            ]])
        end
    end)
end)

--- It ends with an event that only a later version knows: nothing says that the
-- log is bad.
describe('a chain that this version gives up on', function()
    it('is unchecked, not damaged', function()
        local want = install('later')
        run.fails(7, 'ate%.later: a type of the engine that this version does '
            .. 'not know; a later one does', 'chain', 'info', 'test')
        local done = run.ate('chain', 'info', 'test', '--json')
        assert.equal(7, done.code)
        local info = ate.json.decode(done.out)
        assert.equal('unchecked', info.state)
        assert.equal('UNAVAILABLE', info.code)
        assert.equal(want.root, info.root)
        done = run.ate('chain', 'ls', '--long')
        assert.equal(7, done.code, done.err)
        assert.matches('unchecked', done.out)
        done = run.ate('chain', 'tail', 'test')
        assert.equal(7, done.code, done.err)
        assert.matches('item', done.out)
        run.fails(7, 'a later one does', 'chain', 'verify', 'test')
        run.fails(7, 'a later one does', 'list', 'test', 'item')
        for _, said in ipairs({done.err, run.ate('chain', 'verify',
            'test').err}) do
            assert.is_nil(said:find('damage'))
        end
    end)
end)
