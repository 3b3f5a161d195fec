local literal = require('ate.client.literal')

describe('data in the syntax of Lua', function()
    --- What LuaJIT itself makes of it.
    local function as_lua(text)
        return assert(loadstring(text:match('^%s*return') and text
            or 'return ' .. text))()
    end

    it('is what Lua says', function()
        for _, text in ipairs({
            '{}', 'return {1, 2; 3,}', '{a = 1, ["b c"] = {true, false}}',
            "{'\\65\\x42\\n\\\\\\'', \"it's\"}", '{[[\nlong]], [==[a]]b]==]}',
            '{-1.5, 0x10, 1e3, .5}', '{ -- x\n --[[ y\n ]] a --[==[z]==] = 1}',
            'return{a=1}', '{[ "k" ] = 1; 2}', '{"a\\\nb"}',
        }) do
            assert.same(as_lua(text), (literal.read(text, 'x')), text)
        end
    end)

    it('says where each key stands', function()
        local value, places = literal.read('{\n  a = 1,\n  b = {c = 2}}', 'x')
        assert.equal('x:2:3', places[value].a)
        assert.equal('x:3:8', places[value.b].c)
    end)

    -- Whatever it is, it is read or refused, and nothing else happens.
    it('is never run', function()
        local seed = os.time()
        io.stderr:write('literal_spec: seed ', seed, '\n')
        math.randomseed(seed)
        local parts = {'{', '}', '[', ']', '[[', ']]', '=', ',', ';', '"', "'",
            'a', 'return ', 'nil', 'true', '--', '\n', '1', '-', '.', '\\',
            'function() end', 'os.exit()', '\0', '\255', '[=[', '(', ')'}
        for _ = 1, 20000 do
            local text = {'{'}
            for i = 2, math.random(2, 14) do
                text[i] = parts[math.random(#parts)]
            end
            text = table.concat(text)
            local value, err = literal.read(text, 'x')
            if value == nil then
                assert.matches('^x:%d+:%d+: ', err.text)
            else
                assert.same(as_lua(text), value, text)
            end
        end
    end)
end)
