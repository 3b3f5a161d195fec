local ate = require('ate')
local yaml = require('ate.client.yaml')

describe('YAML', function()
    it('is what people would write', function()
        assert.equal('- amount: "12.50"\n  name: alice\n  tags: []\n',
            yaml.encode(ate.list({{name = 'alice', amount = '12.50',
                tags = ate.list({})}})))
        assert.equal('a:\n  - 1\n  - b: true\n    c: {}\n  - - x\n',
            yaml.encode({a = {1, {b = true, c = {}}, {'x'}}}))
        assert.equal('null\n', yaml.encode(nil))
        assert.equal('9007199254740993\n', yaml.encode(9007199254740993LL))
        assert.equal('two words\n', yaml.encode('two words'))
    end)

    it('ends where a value has no end', function()
        local round = {}
        round.round = round
        assert.is_nil(yaml.encode(round))
    end)

    --- Texts that look like something else, and any others.
    local WORDS = {'', ' ', 'yes', 'NULL', '~', '1', '-1', '0x1f', '1e3', '.5',
        '2026-11-29', '12:30', 'a: b', 'a #b', '- a', '-', 'a - b', 'a -', '?',
        '[a]', '{', '*a', '&a', '!a', '%a', '@a', '`a', '|', '>', '"', "'",
        'a\nb', 'a\n', '\t', 'Zoë', '→', '\127', 'a b ', 'key:<00>', '=', '<<',
        '/?', '1_000', 'inf', '.inf', 'o', 'On'}

    local function any(depth)
        local kind = math.random(depth > 0 and 6 or 4)
        if kind == 1 then
            return math.random(-2 ^ 31, 2 ^ 31)
        elseif kind == 2 then
            return math.random(2) == 1
        elseif kind <= 4 then
            return WORDS[math.random(#WORDS)]
        end
        local value = kind == 5 and ate.list({}) or {}
        for i = 1, math.random(0, 4) do
            value[kind == 5 and i or WORDS[math.random(#WORDS)]] =
                any(depth - 1)
        end
        return value
    end

    it('says what JSON says', function()
        local seed = os.time()
        io.stderr:write('yaml_spec: seed ', seed, '\n')
        math.randomseed(seed)
        local lines = {}
        for i = 1, 300 do
            local value = any(4)
            lines[i] = assert(ate.json.encode(ate.list({
                assert(yaml.encode(value)), value})))
        end
        local path = os.tmpname()
        local file = assert(io.open(path, 'wb'))
        file:write(table.concat(lines, '\n'), '\n')
        file:close()
        local pipe = io.popen(([[/usr/bin/python3 -c '
import json, sys, yaml
same = 0
for line in open(sys.argv[1], encoding="utf-8"):
    text, value = json.loads(line)
    got = yaml.safe_load(text)
    assert got == value, (text, got, value)
    same += 1
print(same)' %s 2>&1]]):format(path))
        local said = pipe:read('*a')
        pipe:close()
        os.remove(path)
        assert.equal('300\n', said)
    end)
end)
