--- One log gives one state: in 50 processes, each with another locale, time
-- zone, allocator, layout of memory, and, as LuaJIT seeds them by chance, hashes
-- of texts.
local h = require('helper')

--- What a machine could answer differently: numbers as texts, letters, orders,
-- rounding, dates, long runs.
local SCHEMA = [[
local ate = require('ate')
local t = ate.types
local moods = ate.schema('moods', {doc = 'd', version = 1, bodies = 'open'})
moods:event('said', {doc = 'd', header = {
    n = t.integer(), text = t.text({max = 200}), day = t.date(),
}})

local function each_joined(n)
    local list, keys = {}, {}
    for i = 1, 40 do
        list['k' .. (n * 7919 + i * 104729) % 1000] = i / 3
    end
    for key, value in ate.each(list) do
        keys[#keys + 1] = key .. '=' .. value
    end
    table.sort(keys, function(a, b)
        return a > b
    end)
    return table.concat(keys, ';')
end

local function hot(n)
    local sum = 0
    for i = 1, 300 do
        sum = sum + (n + i) % 7 / 11
    end
    return sum
end

moods:view('texts', {
    doc = 'd', key = {'n'},
    row = {n = t.integer(), numbers = t.text({max = 9999}),
        letters = t.text({max = 9999}), keys = t.text({max = 9999})},
    fold = {
        said = function(rows, said)
            local n = said.n
            rows:set(n, {
                numbers = table.concat({n / 7, 1 / (n + 0.5), n * 1e15 / 3,
                    hot(n), -0.0, tostring(n / 1000), 0 / 0, 1 / 0,
                    ('%d|%08d|%x'):format(n, n, n), tonumber('0.1') + n,
                    math.floor(n / 3), tostring(tonumber('1,5'))}, ' '),
                letters = said.text:upper() .. said.text:lower() .. said.day
                    .. ('iI'):upper() .. ('iI'):lower(),
                keys = each_joined(n),
            })
        end,
    },
})
moods:rule('odd', {
    doc = 'd', on = {'said'}, text = 'no',
    check = function(_, said)
        return hot(said.n) > 0 or ate.deny({})
    end,
})
return moods
]]

local LOCALES = {'C', 'C.UTF-8', 'de_DE.UTF-8', 'tr_TR.UTF-8', 'fa_IR.UTF-8'}
local ZONES = {'UTC', 'Asia/Kathmandu', 'America/St_Johns', 'Pacific/Apia',
    'nonsense', ''}
local ALLOCATORS = {'', 'MALLOC_ARENA_MAX=1', 'MALLOC_PERTURB_=85',
    'MALLOC_ARENA_MAX=64 MALLOC_TOP_PAD_=4096',
    'GLIBC_TUNABLES=glibc.malloc.tcache_count=0'}

--- `env` and its words, and setarch: another one for each i.
local function environment(i)
    return ("env -i PATH=\"$PATH\" LOCPATH=%s/locales LC_ALL=%s TZ='%s' %s "
        .. 'PAD%s=%s %s'):format(h.dir, LOCALES[i % #LOCALES + 1],
        ZONES[i % #ZONES + 1], ALLOCATORS[i % #ALLOCATORS + 1], i,
        ('x'):rep(i * 61), i % 2 == 0 and 'setarch -R' or '')
end

local function make_locales()
    local done = h.shell([[
        set -e
        mkdir locales
        for name in de_DE tr_TR fa_IR; do
            localedef -i $name -f UTF-8 locales/$name.UTF-8
        done
        LOCPATH=$PWD/locales LC_ALL=de_DE.UTF-8 env printf '%.1f' 2,5
    ]])
    -- Else nothing below would be about locales.
    assert.equal('2,5', done.out, done.err)
end

describe('one log', function()
    before_each(h.begin)
    after_each(h.finish)

    it('gives one state in 50 processes', function()
        make_locales()
        h.write(h.dir .. '/moods.lua', SCHEMA)
        h.ok('chain', 'create', 'moods', '--schema', h.dir .. '/moods.lua')
        local lines = {}
        for i = 1, 20 do
            lines[i] = environment(i) .. ([[ "$ATE" call moods said.append \
                n=%d text=Straße-Iıiİ-%d day=2024-02-29 --data "$ATE_DATA"]])
                :format(i * 37, i)
        end
        local done = h.shell('set -e\n' .. table.concat(lines, '\n'))
        assert.equal(0, done.code, done.err)
        local wanted = h.json('chain', 'info', 'moods', '--state')
        local path = h.path('moods')
        for i = 1, 50 do
            lines[i] = environment(i) .. (' luajit %s/tests/system/replay.lua '
                .. '"$ATE_BUILD" %s'):format(h.root, path)
        end
        done = h.shell('set -e\n' .. table.concat(lines, '\n'))
        assert.equal(0, done.code, done.err)
        local count, locales = 0, {}
        for root, state, locale in done.out:gmatch('(%x+)\t(%x+)\t(%S+)\n') do
            assert.equal(wanted.root, root)
            assert.equal(wanted.state_root, state)
            locales[locale] = true
            count = count + 1
        end
        assert.equal(50, count, done.out)
        for _, locale in ipairs(LOCALES) do
            assert.is_true(locales[locale], locale)
        end
    end)
end)
