--- Hostile scripts in a chain: each of tests/lua/hostile as a rule, a fold and a
-- method. It ends as its first line says, its chain stays as it was, and so does
-- another chain of the node.
local ate = require('ate')
local h = require('helper')
local session = require('ate.client.session')

local FOLDER = h.root .. '/tests/lua/hostile/'

local EVIL = [[
local ate = require('ate')
local t = ate.types
local evil = ate.schema('evil', {doc = 'd', version = 1, bodies = 'open'})
local scripts = {}
%s
for _, type in ipairs({'ruled', 'folded', 'plain'}) do
    evil:event(type, {doc = 'd', header = {script = t.name({max = 60})}})
end
evil:rule('hostile', {
    doc = 'd', on = {'ruled'}, text = 'no',
    check = function(_, e)
        scripts[e.script]()
        return true
    end,
})
evil:view('seen', {
    doc = 'd', key = {'script'},
    row = {script = t.name({max = 60}), n = t.default(t.integer(), 0)},
    fold = {
        folded = function(rows, e)
            scripts[e.script]()
            rows:add(e.script, {n = 1})
        end,
        plain = function(rows, e)
            rows:add(e.script, {n = 1})
        end,
    },
})
evil:method('run', {
    doc = 'd', mode = 'write', args = {script = t.name({max = 60})},
    run = function(ctx, args)
        scripts[args.script]()
        return ctx:emit('plain', args)
    end,
})
return evil
]]

local GOOD = [[
local ate = require('ate')
local t = ate.types
local good = ate.schema('good', {doc = 'd', version = 1, bodies = 'open'})
good:event('tick', {doc = 'd', header = {n = t.integer()}})
good:view('sum', {
    doc = 'd', key = {'name'},
    row = {name = t.name({max = 9}), n = t.default(t.integer(), 0)},
    fold = {
        tick = function(rows, tick)
            rows:add('all', {n = tick.n})
        end,
    },
})
return good
]]

--- {name, kind, text} of each script, by its first line.
local function read_scripts()
    local scripts = {}
    for name in h.shell('ls ' .. FOLDER).out:gmatch('([%w_]+)%.lua\n') do
        local first = h.read(FOLDER .. name .. '.lua'):match('^[^\n]*')
        local kind, text = first:match('^%-%- expect: (%u+) ?(.*)$')
        scripts[#scripts + 1] = {name = name, kind = kind, text = text}
    end
    return scripts
end

--- Write the schema with these scripts in it, and load it.
local function bundle_of(names)
    local lines = {}
    for i, name in ipairs(names) do
        h.write(('%s/%s.lua'):format(h.dir, name), h.read(FOLDER .. name
            .. '.lua'))
        lines[i] = ("scripts['%s'] = require('%s')"):format(name, name)
    end
    local path = h.write(h.dir .. '/evil.lua', EVIL:format(
        table.concat(lines, '\n')))
    return ate.bundle(path)
end

-- Found by the loader of files, which has words of its own.
local OTHERWISE = {require_path = 'is no name of a module'}

--- The text that was promised; limits in a chain are others.
local function assert_says(err, script, what)
    local said = err.text:gsub('%d+ steps', 'N steps')
        :gsub('%d+ bytes', 'N bytes')
    local wanted = (OTHERWISE[script.name] or script.text)
        :gsub('%d+ steps', 'N steps'):gsub('%d+ bytes', 'N bytes')
    assert.is_truthy(said:find(wanted, 1, true), what .. ': ' .. err.text)
end

describe('a hostile script', function()
    local node

    local function create(name, bundle)
        assert(node:call(nil, 'chain.create', {name = name,
            bundle = ate.bin(bundle),
            accept = ate.list({'accept-all', 'serializer',
                'structured-logic'})}))
    end

    --- A busy machine may look like a run without end; then it is run again.
    local function call(method, args)
        for _ = 1, 5 do
            local value, err = node:call('evil', method, args)
            if value ~= nil or err.code ~= 'UNAVAILABLE' then
                return value, err
            end
        end
        error(method .. ': unavailable five times')
    end

    local function state(chain)
        return assert(node:read(chain, 'info', {state = true})).state_root
    end

    local ticks = 0
    local function good_goes_on()
        ticks = ticks + 1
        assert(node:call('good', 'tick.append', {n = '1'}))
    end

    local function good_is_as_it_was()
        local rows = assert(node:rows('good', 'view', {view = 'sum'}))
        assert.equal(tostring(ticks), tostring(rows[1].n))
        local report = assert(node:read('good', 'verify'))
        assert.equal(state('good'), report.state)
    end

    before_each(function()
        h.begin()
        ticks = 0
        node = assert(session.open(nil, {memory = true}))
        create('good', assert(ate.bundle(h.write(h.dir .. '/good.lua', GOOD))))
    end)

    after_each(function()
        node:close()
        h.finish()
    end)

    it('that does not load makes no chain, and harms none', function()
        local count = 0
        for _, script in ipairs(read_scripts()) do
            local bundle, err = bundle_of({script.name})
            if bundle == nil then
                count = count + 1
                err = err.problems and err.problems[1] or err
                assert.is_truthy(script.kind ~= 'VALUE', script.name)
                assert_says(err, script, script.name)
                good_goes_on()
            end
        end
        assert.is_true(count > 20, count)
        good_is_as_it_was()
    end)

    it('that runs is stopped, in a rule, a fold and a method', function()
        local scripts, names = {}, {}
        for _, script in ipairs(read_scripts()) do
            if bundle_of({script.name}) ~= nil then
                scripts[#scripts + 1] = script
                names[#names + 1] = script.name
            end
        end
        assert.is_true(#scripts >= 60, #scripts)
        create('evil', assert(bundle_of(names)))
        assert(call('plain.append', {script = 'x'}))
        for _, script in ipairs(scripts) do
            local before = state('evil')
            for _, method in ipairs({'ruled.append', 'folded.append', 'run'}) do
                local what = script.name .. ' by ' .. method
                local value, err = call(method, {script = script.name})
                if script.kind == 'VALUE' then
                    assert.is_not_nil(value, what .. ': '
                        .. (err and err.text or ''))
                else
                    assert.is_nil(value, what)
                    assert.equal(script.kind, err.code, what .. err.text)
                    assert_says(err, script, what)
                    assert.equal(before, state('evil'), what)
                end
                before = state('evil')
                good_goes_on()
            end
            assert(call('plain.append', {script = 'x'}))
        end
        local report = assert(node:read('evil', 'verify'))
        assert.equal(state('evil'), report.state)
        good_is_as_it_was()
    end)
end)
