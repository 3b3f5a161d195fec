local ate = require('ate')

local function hex(bytes)
    return (bytes:gsub('.', function(c)
        return ('%02x'):format(c:byte())
    end))
end

local function from_hex(text)
    return (text:gsub('%x%x', function(pair)
        return string.char(tonumber(pair, 16))
    end))
end

describe('msgpack', function()
    it('gives back what it was given', function()
        local values = {0, 1, -1, -32, -33, 127, 128, 255, 256, 65535, 65536,
            2 ^ 32, 2 ^ 53, -2 ^ 53, 1.5, true, false, '', 'text',
            ('x'):rep(40), ('x'):rep(300), ('x'):rep(70000)}
        for _, value in ipairs(values) do
            assert.equal(value, ate.unpack(ate.pack(value)))
        end
    end)

    it('keeps integers beyond 2^53 exact', function()
        local big = ate.unpack(from_hex('cf7fffffffffffffff'))
        assert.equal('cdata', type(big))
        assert.equal(9223372036854775807LL, big)
        assert.equal('cf7fffffffffffffff', hex(ate.pack(big)))
        assert.equal('d38000000000000000',
            hex(ate.pack(-9223372036854775807LL - 1)))
    end)

    it('writes maps sorted and integers in the shortest form', function()
        assert.equal('83a16101a162ccc8a163d1fc18',
            hex(ate.pack({c = -1000, a = 1, b = 200})))
    end)

    it('tells bytes from text', function()
        assert.equal('c403010203', hex(ate.pack(ate.bin('\1\2\3'))))
        assert.equal('c401ff', hex(ate.pack('\255')))
        assert.equal('a161', hex(ate.pack('a')))
    end)

    it('keeps lists and maps apart when they are empty', function()
        assert.equal('90', hex(ate.pack(ate.list({}))))
        assert.equal('80', hex(ate.pack({})))
        assert.equal('90', hex(ate.pack(ate.unpack('\144'))))
    end)

    it('refuses each way to be cut short or wrong', function()
        for _, text in ipairs({'c1', 'd9', 'd905aa', '92c0', '81a161',
            'dd7fffffff', 'df7fffffff', 'dbffffffff', 'c6ffffffff', 'cd01',
            'c0c0', 'cfffffffffffffffff', 'd40000', '81c0c0',
            '81cb7ff8000000000000c0', '81ca7fc00000c0'}) do
            local value, problem = ate.unpack(from_hex(text))
            assert.is_nil(value)
            assert.matches('^msgpack: ', problem)
        end
        local value = ate.unpack(('\145'):rep(1000) .. '\192')
        assert.is_nil(value)
    end)

    -- Whatever bytes come, the answer is a value or an error.
    it('survives random bytes', function()
        local seed = os.time()
        math.randomseed(seed)
        for _ = 1, 20000 do
            local bytes = {}
            for i = 1, math.random(0, 24) do
                bytes[i] = string.char(math.random(0, 255))
            end
            local ok, problem = pcall(ate.unpack, table.concat(bytes))
            assert(ok, ('seed %d: %s'):format(seed, tostring(problem)))
        end
    end)
end)
