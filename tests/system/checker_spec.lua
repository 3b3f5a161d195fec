--- checker/, a reader of chains written from docs/format.md alone, over chains
-- that the examples make, and copies that were damaged.
local helper = require('helper')

local root = helper.root .. '/'
local ate = os.getenv('ATE') or (os.getenv('ATE_BUILD') or root .. 'build') .. '/ate'
local read = helper.read

describe('checker', function()
    local folder

    local function run(line, ...)
        local code, out, err = helper.line(line:format(...))
        assert.are.equal('', code == 0 and '' or err)
        return out
    end

    --- The folder of the data folder's one chain.
    local function chain()
        return (run('dirname $(ls -t %s/data/??/*/cur | head -n 1)', folder)
            :gsub('%s', ''))
    end

    local function make_hello()
        run('%s chain create hello --schema %sexamples/hello/hello.lua '
            .. '--accept accept-all,serializer,structured-logic '
            .. '--data %s/data', ate, root, folder)
        run('%s key new eve --data %s/data', ate, folder)
        for i = 1, 5 do
            run('%s call hello greeting.append to=n%d --as %s --data %s/data',
                ate, i, i % 2 == 0 and 'eve' or 'me', folder)
        end
        return chain()
    end

    local function make_books(name)
        run('%sexamples/books/books %stests/system/fixtures/books/%s.beancount '
            .. '--data %s/data', root, root, name, folder)
        return chain()
    end

    --- Grants, one that is taken back, root keys that change, another order key,
    -- and transactions of several who sign.
    local function make_trust()
        run([[set -e; export ATE_DATA=%s/data
            for name in ann bob cy; do $ATE key new $name; done
            $ATE chain create vault --schema %sexamples/bank/bank.lua \
                --root me --root ann --threshold 2
            both="--as me --root ann"
            $ATE grant vault / create,delegate --to bob --depth 2 $both
            $ATE grant vault / create --to cy --as bob --under 2.0
            $ATE call vault account.put name=cy owner=cy --as cy
            $ATE call vault account.put name=bob owner=bob --as bob --with cy
            $ATE grant vault account/bob act_for --to cy --as bob
            $ATE grant vault / act_for --to cy --as bob
            $ATE call vault transfer from=bob to=cy amount=1 --as cy --for bob
            $ATE revoke vault 2.0 --as bob
            $ATE chain rotate vault --key me --key cy --threshold 1 \
                --next ann $both
            $ATE chain order vault bob
            $ATE call vault account.put name=me owner=me]], folder, root)
        return chain()
    end

    --- Bodies of each home: inline, in the body file, in files of their own.
    local function make_files()
        helper.write(folder .. '/files.lua', [[
            local ate = require('ate')
            local t = ate.types
            local files = ate.schema('files', {doc = 'd', version = 1,
                bodies = 'open'})
            files:object('file', {doc = 'd', key = {'path'},
                header = {path = t.name({max = 40})}, body = t.blob({max = 100000})})
            return files]])
        run([[set -e; export ATE_DATA=%s/data; cd %s
            $ATE chain create files --schema files.lua
            for size in 9 1024 1025 65536 65537 70001; do
                head -c $size /dev/zero >body
                $ATE call files file.put path=f$size --body body
            done
            $ATE call files file.put path=again --body body
            $ATE call files file.delete path=f65537]], folder, folder)
        return chain()
    end

    --- A chain that went on under another bundle.
    local function make_grown()
        run([[set -e; export ATE_DATA=%s/data
            $ATE chain create hello --schema %sexamples/hello/hello.lua
            $ATE call hello greeting.append to=a
            mkdir %s/next
            sed 's/version = 1/version = 2/; s/max = 40/max = 50/' \
                %sexamples/hello/hello.lua >%s/next/hello.lua
            $ATE schema apply hello %s/next/hello.lua
            $ATE call hello greeting.append to=b]], folder, root, folder, root,
            folder, folder)
        return chain()
    end

    --- One whose films are large, or just not.
    local function make_films()
        run([[set -e; export ATE_DATA=%s/data
            $ATE chain create films --schema %stests/lua/schemas/films.lua
            i=0
            for size in 1000 1025 65536 65537 200000 262144; do
                i=$((i + 1))
                head -c $size /dev/zero >%s/film
                $ATE call films film.create name=f$i year=1927 --body %s/film
            done
            $ATE call films copy of=f5 name=again]], folder, root, folder,
            folder)
        return chain()
    end

    local function check(path)
        return helper.line(('%schecker/cli.mjs --strict %s'):format(root, path))
    end

    before_each(function()
        helper.begin()
        folder = helper.dir
    end)

    after_each(helper.finish)

    it('reads large bodies, and finds what is wrong with them', function()
        local path = make_films()
        local files = {}
        for name in run('ls %s/large', path):gmatch('%x+') do
            files[#files + 1] = path .. '/large/' .. name
        end
        assert.equal(3, #files)
        for _, file in ipairs(files) do
            local size = #read(file)
            for _, damage in ipairs({
                'dev flip-byte %s --offset 0', 'dev flip-byte %s --offset 65536',
                'dev flip-byte %s --offset ' .. size - 1,
                'dev flip-byte %s --offset ' .. size - 33,
            }) do
                local line = ate .. ' ' .. damage:format(file)
                run('%s', line)
                local code, _, err = check(path)
                assert(code == 8, line .. ': ' .. code .. err)
                code = helper.line(ate .. ' chain verify --path ' .. path)
                assert(code == 8, line .. ': ' .. code)
                run('%s', line)
            end
            for _, damage in ipairs({'truncate -s -1 %s', 'printf x >>%s',
                'truncate -s 0 %s', 'rm %s'}) do
                run('cp %s %s/kept', file, folder)
                run('%s', damage:format(file))
                local code, _, err = check(path)
                assert(code == 8, damage .. ': ' .. code .. err)
                code = helper.line(ate .. ' chain verify --path ' .. path)
                assert(code == 8 or code == 3, damage .. ': ' .. code)
                run('mv %s/kept %s', folder, file)
            end
        end
        assert.equal(0, (check(path)))
    end)

    -- A pipe has no end, and zeros that are stored nowhere have none for long.
    it('waits for nothing that is no file, and reads no endless one', function()
        local path, copy = make_files(), folder .. '/copy'
        local function says(tool, expected, line)
            local code, _, err = helper.line('timeout 60 ' .. tool .. copy)
            local place = ('%s: %s: %d, %s'):format(line, tool, code, err)
            assert(code == expected, place)
            assert(err == '' or err:find('it is no regular file', 1, true)
                or err:find('behind the last frame', 1, true), place)
        end
        local function both(expected, line)
            run('rm -rf %s && cp -r --sparse=always %s %s && cd %s && %s',
                copy, path, copy, copy, line)
            says(ate .. ' chain verify --path ', expected, line)
            says(root .. 'checker/cli.mjs ', expected, line)
        end
        both(0, 'true')
        for _, name in ipairs({'cur', '1.head', '1.body', 'tiles'}) do
            local proves = name ~= 'tiles' -- those prove nothing
            for _, other in ipairs({'mkfifo', 'mkdir', 'ln -s /dev/zero'}) do
                both(proves and 8 or 0,
                    ('rm -f %s && %s %s'):format(name, other, name))
            end
        end
        says(root .. 'checker/cli.mjs --strict ', 8, 'tiles')
        both(8, 'mv 1.head ../1.head && ln -s ../1.head .')
        both(0, 'truncate -s 20G 1.head')
        both(0, 'truncate -s 20G 1.body')
    end)

    it('finds chains of the examples good, as verify does', function()
        for name, make in pairs({
            hello = make_hello,
            many = function()
                return make_books('many')
            end,
            shapes = function()
                return make_books('shapes')
            end,
            names = function()
                return make_books('names')
            end,
            trust = make_trust,
            grown = make_grown,
            films = make_films,
            files = make_files,
        }) do
            local path = make()
            local code, out, err = check(path)
            assert.are.equal('', err)
            assert.are.equal(0, code)
            assert.is_truthy(out:find('all as recorded', 1, true))
            local words = '%d+ transactions, %d+ signatures: all as recorded'
            for _, option in ipairs({'', '--no-rules'}) do
                local verified = run('%s chain verify --path %s %s', ate, path,
                    option)
                assert.are.equal(out:match('^(%d+ transactions, %d+ sig)'),
                    verified:match('%d+ transactions, %d+ sig'), name)
                assert.are.equal(option == '' and 1 or 2, select(2,
                    (verified .. out):gsub('rules, which are Lua, were not '
                    .. 'asked\n', '')))
            end
            assert.is_truthy(out:find(words))
            if os.getenv('ATE_DUMP') ~= nil then
                run('mv %s "$ATE_DUMP/%s"', path, name)
            end
            os.execute('rm -rf ' .. folder .. '/data')
        end
    end)

    -- A schema without views: then all of the state is known without Lua.
    it('finds the same state, delegations and root keys in it', function()
        local file = assert(io.open(folder .. '/shelf.lua', 'w'))
        file:write([[
            local ate = require('ate')
            local t = ate.types
            local shelf = ate.schema('shelf', {doc = 'd', version = 1,
                bodies = 'open'})
            shelf:object('box', {doc = 'd', key = {'name'},
                header = {name = t.name({max = 40})}})
            shelf:event('put', {doc = 'd', parent = 'box',
                header = {box = t.ref('box'), text = t.text({max = 40})}})
            return shelf]])
        file:close()
        run([[set -e; export ATE_DATA=%s/data; cd %s
            $ATE key new ann; $ATE key new bob
            $ATE chain create shelf --schema shelf.lua --next me --next ann
            $ATE call shelf box.put name=a
            $ATE grant shelf box/a create,write --to ann --depth 3 --until \
                2100-01-01T00:00:00Z
            $ATE grant shelf / delegate,create,delete --to ann --depth 1
            $ATE grant shelf / create --to bob --as ann
            $ATE call shelf put.append box=a text=x --as bob
            $ATE call shelf put.append box=a text=y --as ann --with bob
            given=$($ATE grants shelf --to bob -o csv | tail -n 1)
            $ATE revoke shelf "${given%%%%,*}" --as bob
            $ATE grant shelf / act_for --to bob --as ann
            $ATE call shelf box.put name=b
            $ATE call shelf box.delete name=b
            $ATE chain rotate shelf --key me --key ann --root ann
            $ATE chain order shelf bob --root ann
            $ATE call shelf box.put name=c --root ann]], folder, folder)
        local state = run('%s chain info shelf --state --json --data %s/data', ate,
            folder):match('"state_root":"(%x+)"')
        local line = '%schecker/cli.mjs %s --state %s'
        run(line, root, chain(), state)
        local code, _, err = helper.line(line:format(root, chain(),
            ('0'):rep(64)))
        assert.are.equal(8, code)
        assert.is_truthy(err:find('the state root is ' .. state, 1, true))
        code, _, err = helper.line(('%schecker/cli.mjs %s --root %s'):format(
            root, chain(), ('0'):rep(64)))
        assert.are.equal(8, code)
        assert.is_truthy(err:find(': the root is %x+\n$'), err)
    end)

    -- By what the log alone says: no text of the engine is believed.
    it('knows what workers may not do', function()
        run('mkdir %s/left && cd %s. && ATE_DUMP=%s/left '
            .. '$(dirname "$ATE")/tests/unit/test_work_forged 2>&1', folder,
            root, folder)
        local out = run('%stests/checker/agree.mjs "$ATE_BUILD" %s/left',
            root, folder)
        local chains, bad = out:match('(%d+) chains, (%d+) of them bad, '
            .. '0 by their schema.-: 0 judged otherwise')
        assert(chains ~= nil and tonumber(bad) > 20, out)
        assert.equal(5, chains - bad)
    end)

    it('has hashes, msgpack and strict signatures of its own', function()
        local out = run('%stests/checker/vectors.mjs', root)
        assert.is_truthy(out:find('%d%d%d vectors, 0 wrong'), out)
    end)

    it('is one for browsers, too', function()
        local out = run('%stests/checker/core.mjs %s', root, make_trust())
        assert.is_truthy(out:find('8 claims, 0 wrong', 1, true), out)
        local others = run("cd %schecker && grep -lE \"from 'node:|process[.]|Buffer[.(]\" "
            .. '*.mjs', root)
        assert.are.equal('cli.mjs\n', others)
    end)

    it('tells of its use', function()
        local cli = root .. 'checker/cli.mjs '
        assert.is_truthy(run('%s --help', cli):find('cli.mjs FOLDER', 1, true))
        for _, words in ipairs({'', 'a b', '--nothing', 'proof', '. --vkey x',
            'tree .', 'proof /dev/null --leaf x --vkey y'}) do
            local code, _, err = helper.line(cli .. words)
            assert.are.equal(2, code, words .. err)
            assert.is_truthy(err:find('^check: '), err)
        end
        -- Heartbeats come between, where the machine is slow.
        local count = run('%s %s --json', cli, make_hello())
            :match('"transactions":(%d+),')
        assert.is_true(tonumber(count) >= 7)
    end)

    it('says what is missing', function()
        local code, _, err = check(folder .. '/none')
        assert.are.equal(3, code)
        assert.is_truthy(err:find('none: no such folder or file', 1, true))
        code, _, err = check(folder)
        assert.are.equal(8, code)
        assert.is_truthy(err:find('cur: no such file', 1, true))
    end)
end)
