local ate = require('ate')
local json = ate.json

describe('JSON', function()
    it('keeps integers exact to 64 bits', function()
        for _, text in ipairs({'0', '-1', '9007199254740993',
            '9223372036854775807', '-9223372036854775808'}) do
            assert.equal(text, json.encode(json.decode(text)))
        end
    end)

    it('keeps null, empty lists and empty maps apart', function()
        local text = '{"a":[],"b":{},"c":null}'
        assert.equal(text, json.encode(json.decode(text)))
        assert.equal(ate.null, json.decode('null'))
    end)

    it('sorts keys by their bytes', function()
        assert.equal('{"B":1,"a":2,"é":3}',
            json.encode({['é'] = 3, a = 2, B = 1}))
    end)

    it('says line and column of a mistake', function()
        local value, problem = json.decode('{"a": 1,\n "b" 2}')
        assert.is_nil(value)
        assert.matches('^line 2, column %d+: ', problem)
    end)

    it('refuses keys that stand twice, and what follows', function()
        assert.is_nil((json.decode('{"a":1,"a":2}')))
        assert.is_nil((json.decode('{} x')))
        assert.is_nil((json.decode('99999999999999999999')))
    end)

    it('writes bytes that are no UTF-8 in hex', function()
        assert.equal('{"id":"ff00"}', json.encode({id = '\255\0'}))
        assert.equal('"6162"', json.encode(ate.bin('ab')))
    end)

    it('refuses what is no value', function()
        for _, value in ipairs({print, coroutine.create(print), 0 / 0,
            {[true] = 1}}) do
            local text, problem = json.encode(value)
            assert.is_nil(text)
            assert.is_string(problem)
        end
        local loop = {}
        loop.loop = loop
        assert.is_nil((json.encode(loop)))
    end)

    it('survives deep nesting', function()
        local deep = ('['):rep(1000) .. (']'):rep(1000)
        assert.is_nil((json.decode(deep)))
    end)
end)
