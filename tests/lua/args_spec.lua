local args = require('ate.cli.args')

local command = {
    args = {{name = 'NAME', doc = 'A name.'},
        {name = 'key=value', many = true, optional = true, doc = 'More.'}},
    options = {
        {name = 'follow', short = 'f', doc = ''},
        {name = 'lines', short = 'n', value = 'COUNT', number = true, doc = ''},
        {name = 'output', short = 'o', value = 'FORMAT', doc = '',
            choices = {'csv', 'json'}},
    },
}

local function parse(...)
    return args.parse(command, {...})
end

local function problem(...)
    local given, err = parse(...)
    assert.is_nil(given)
    assert.equal('INVALID', err.code)
    assert.equal(2, err.exit)
    return err.text
end

describe('args', function()
    it('takes options anywhere before --', function()
        local given, options = parse('a', '-f', 'b=1', '--lines', '3', '--',
            '--data')
        assert.same({NAME = 'a', ['key=value'] = {'b=1', '--data'}}, given)
        assert.same({follow = true, lines = 3}, options)
    end)

    it('takes values behind =, behind a letter, and letters together',
        function()
            local _, options = parse('a', '-fn7', '--output=csv')
            assert.same({follow = true, lines = 7, output = 'csv'}, options)
        end)

    it('takes a number below zero for a value', function()
        local given = parse('a', '-5')
        assert.same({'-5'}, given['key=value'])
    end)

    it('knows the options of every command', function()
        local _, options = parse('a', '--data', '/d', '--json')
        assert.same({data = '/d', json = true}, options)
    end)

    it('suggests an option for a mistyped one', function()
        assert.matches('unknown option %-%-folow; did you mean "%-%-follow"%?',
            problem('a', '--folow'))
    end)

    it('refuses an option that is empty: a variable was not set', function()
        for _, word in ipairs({'--output=', '--lines=', '-o', '--data'}) do
            assert.matches('is empty; give [%u]+ or leave it out',
                problem('a', word, word:match('=') and 'x' or ''))
        end
        local function names(word, more)
            return args.parse({options = {{name = 'with', value = 'KEY',
                list = true, doc = ''}, {name = 'to', value = 'WHO',
                required = true, doc = ''}}}, {word, more})
        end
        for _, word in ipairs({'--with=a,', '--with=,a', '--with=a,,b'}) do
            local _, err = names(word)
            assert.matches('nothing between two commas', err.text)
        end
        local _, err = names('--with=a', '--with=')
        assert.matches('--with is empty', err.text, 1, true)
        _, err = names('--to=')
        assert.equal('--to is empty; give WHO', err.text)
    end)

    it('refuses what is missing, too much, or of the wrong kind', function()
        assert.matches('NAME is missing, a name', problem())
        assert.matches('%-%-lines needs a value', problem('a', '--lines'))
        assert.matches('whole number, not "x"', problem('a', '--lines', 'x'))
        assert.matches('whole number', problem('a', '--lines', '1.5'))
        assert.matches('csv, json, not "xml"', problem('a', '-o', 'xml'))
        assert.matches('takes no value', problem('a', '--follow=1'))
        local given, err = args.parse({args = {}}, {'x'})
        assert.is_nil(given)
        assert.matches('too many arguments, from "x" on', err.text)
    end)
end)

-- Words by chance, of what command lines are made of: whatever they are, there
-- is a result or an error that says something.
describe('args of anybody', function()
    local PARTS = {'-', '--', '=', 'f', 'n', 'o', 'lines', 'follow', 'output',
        'csv', '3', '-1', '1e9', '9999999999999999999', '', ' ', '\n', '\0',
        '\255', 'ä', '%s', '%', '[', "'", 'nan', '0x10', 'no-'}

    it('never end in a mistake of ours', function()
        local seed = os.time() * 1000 + math.floor(os.clock() * 1e6) % 1000
        print('seed ' .. seed)
        math.randomseed(seed)
        local good = 0
        for _ = 1, 20000 do
            local words = {}
            for i = 1, math.random(0, 6) do
                local word = ''
                for _ = 1, math.random(0, 3) do
                    word = word .. PARTS[math.random(#PARTS)]
                end
                words[i] = word
            end
            local ok, given, told = pcall(args.parse, command, words)
            assert.is_true(ok, tostring(given) .. ': '
                .. table.concat(words, '|'))
            if given == nil then
                assert.equal('INVALID', told.code)
                assert.is_truthy(told.text ~= '')
            else
                good = good + 1
                assert.is_string(given.NAME)
            end
        end
        assert.is_true(good > 100, good)
    end)
end)
