--- tests/checker, a reader of chains written from docs/format.md alone, over
-- chains that the examples make, and over copies with one changed byte.
local helper = require('helper')

local root = helper.root .. '/'
local ate = (os.getenv('ATE_BUILD') or root .. 'build') .. '/ate'
local read = helper.read

--- Run a line of shell: exit code, stdout, stderr.
local function sh(folder, line)
    os.execute(('export ATE=%s; ( %s ) >%s/out 2>%s/err; echo $? >%s/code')
        :format(ate, line, folder, folder, folder))
    return tonumber(read(folder .. '/code')), read(folder .. '/out'),
        read(folder .. '/err')
end

describe('checker', function()
    local folder

    local function run(line, ...)
        local code, out, err = sh(folder, line:format(...))
        assert.are.equal('', code == 0 and '' or err)
        return out
    end

    --- The folder of the data folder's one chain.
    local function chain()
        return (run('dirname %s/data/??/*/cur', folder):gsub('%s', ''))
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

    local function check(path)
        return sh(folder, ('%stests/checker/check.py %s'):format(root, path))
    end

    before_each(function()
        helper.begin()
        folder = helper.dir
    end)

    after_each(helper.finish)

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
        }) do
            local path = make()
            local code, out, err = check(path)
            assert.are.equal('', err)
            assert.are.equal(0, code)
            assert.is_truthy(out:find('all as recorded', 1, true))
            local verified = run('%s chain verify --path %s', ate, path)
            assert.are.equal(out:match('^%d+ transactions, %d+ signatures'),
                verified:match('%d+ transactions, %d+ signatures'), name)
            os.execute('rm -rf ' .. folder .. '/data')
        end
    end)

    -- The seed is printed by flips.py, and stands in the error.
    for name, make in pairs({
        hello = make_hello,
        prices = function()
            return make_books('prices')
        end,
    }) do
        it('sees each flipped byte of ' .. name, function()
            local code, out, err = sh(folder,
                ('%stests/checker/flips.py %s --count 100'):format(root,
                    make()))
            assert.are.equal(0, code, out .. err)
            assert.is_truthy(out:find('200 flips, 0 not seen', 1, true))
        end)
    end

    it('says what is missing', function()
        local code, _, err = check(folder .. '/none')
        assert.are.equal(3, code)
        assert.is_truthy(err:find('none: no such folder', 1, true))
        code, _, err = check(folder)
        assert.are.equal(8, code)
        assert.is_truthy(err:find('/cur: No such file', 1, true))
    end)
end)
