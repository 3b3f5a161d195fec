--- The schemas that come with ate: by name, wherever a file is taken.
local run = require('helper')

before_each(run.begin)
after_each(run.finish)

local NAMES = {'key_value', 'ledger'}

describe('a standard schema', function()
    for _, name in ipairs(NAMES) do
        it('passes its tests, as a file and by name: ' .. name, function()
            for _, path in ipairs({'ate:' .. name,
                ('%s/schemas/%s_test.lua'):format(run.root, name)}) do
                assert.matches('\nreplay equal · .*\n%d+ passed, 0 failed\n$',
                    run.ok('test', path))
            end
        end)

        it('is checked by name: ' .. name, function()
            assert.matches('^schema ' .. name .. ' 1: .*; no warnings\n$',
                run.ok('check', 'ate:' .. name, '--strict'))
        end)

        -- Rules that nothing breaks and views that nothing reads are untried.
        it('is tried as a whole: ' .. name, function()
            local tests = run.read(('%s/schemas/%s_test.lua'):format(run.root,
                name))
            local schema = run.json('check', 'ate:' .. name).schema
            local count = 0
            local function expect(list, form)
                for _, item in ipairs(list) do
                    if not item.name:find('.', 1, true) then
                        count = count + 1
                        local text = form:format(item.name)
                        assert(tests:find(text, 1, true), text)
                    end
                end
            end
            expect(schema.rules, "t:refused('%s'")
            expect(schema.methods, "'%s'")
            assert.is_true(count > 4)
        end)
    end

    it('is in the program, whatever folder it runs in', function()
        local done = run.shell([[
            set -e
            cp "$ATE" ./ate && cd / && "$OLDPWD"/ate check ate:ledger
            cd "$OLDPWD" && ./ate chain create a --schema ate:key_value
            ./ate call a set key=x value=y && ./ate chain verify a
            mv "$(./ate chain path a)" moved
            ./ate chain verify --path moved]])
        assert.equal(0, done.code, done.err)
        assert.matches('all as recorded.*all as recorded', done.out)
    end)

    it('is planned and applied by name', function()
        run.ok('new', run.dir .. '/ledger', '--from', 'ate:ledger')
        local path = run.dir .. '/ledger/ledger.lua'
        run.write(path, (run.read(path):gsub('version = 1', 'version = 2')))
        run.ok('chain', 'create', 'money', '--schema', 'ate:ledger')
        assert.matches('nothing to do', run.ok('schema', 'plan', 'money',
            'ate:ledger'))
        run.ok('call', 'money', 'book.create', 'name=main', 'owner=me')
        local done = run.ate('schema', 'plan', 'money', path)
        assert.equal(5, done.code, done.err)
        run.ok('schema', 'apply', 'money', path)
        assert.equal('2', tostring(run.json('chain', 'info', 'money').version))
        run.fails(2, 'count it up', 'schema', 'apply', 'money', 'ate:ledger')
    end)

    it('that there is not is told with those there are', function()
        for _, words in ipairs({{'check', 'ate:no'},
            {'chain', 'create', 'a', '--schema', 'ate:no'}, {'test', 'ate:no'},
            {'check', 'ate:'}, {'check', 'ate:ledger_test'}}) do
            run.fails(3, 'there is no standard schema .*; there are:? '
                .. 'ate:key_value, ate:ledger', unpack(words))
        end
        run.write(run.dir .. '/a.lua', "require('ate:no')\n")
        run.fails(2, "a.lua:1: there is no standard schema 'ate:no'; there "
            .. 'are ate:key_value, ate:ledger', 'check', run.dir .. '/a.lua')
    end)

    it('is no file, though one may be called so', function()
        run.shell("mkdir 'ate:x' && echo 'error(1)' >'ate:x/y.lua'")
        run.fails(1, 'y.lua:1', 'check', './ate:x/y.lua')
        run.fails(3, 'no standard schema', 'check', 'ate:x/y.lua')
    end)

    it('is the one that its chain was made with', function()
        run.ok('chain', 'create', 'a', '--schema', 'ate:key_value')
        local files = run.shell(('cat %s/*'):format(run.quote(run.path('a'))))
        assert.is_truthy(files.out:find(run.read('schemas/key_value.lua'), 1,
            true))
    end)
end)
