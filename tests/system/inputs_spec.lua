--- Files that a user names and that are read whole: what is no regular file, or
-- has no end, is refused at once.
local run = require('helper')

before_each(run.begin)
after_each(run.finish)

local SMALL, MOST, SIGNED = 1048576, 16777216, 67108864

-- Each command with FILE in place of what it reads, what its errors begin with,
-- and how much it takes.
local READERS = {
    {{'proof', 'check', 'FILE'}, 'proof check', SIGNED},
    {{'proposal', 'show', 'FILE'}, 'proposal', SIGNED},
    {{'proposal', 'sign', 'FILE'}, 'proposal', SIGNED},
    {{'proposal', 'submit', 'FILE'}, 'proposal', SIGNED},
    {{'key', 'add', 'x', 'FILE'}, 'key add', SMALL},
    {{'chain', 'proof', 'bank', '1', '--checkpoint', 'FILE'}, 'checkpoint',
        SMALL},
    {{'chain', 'publish', 'bank', 'DIR', '--checkpoint', 'FILE'}, 'checkpoint',
        SMALL},
    {{'call', 'bank', 'account.put', 'name=@FILE', 'owner=me'},
        'bank account.put: name', MOST},
    {{'run', 'FILE'}, 'run', MOST},
    {{'test', 'FILE'}, 'test', MOST},
    {{'config', 'check', '--config', 'FILE'}, 'configuration', SMALL},
}

local function words(reader, path)
    local list = {}
    for i, word in ipairs(reader[1]) do
        list[i] = word:gsub('FILE', function() return path end)
            :gsub('DIR', function() return run.dir .. '/tree' end)
    end
    return unpack(list)
end

local function long_file(size)
    local path = run.dir .. '/long'
    local file = assert(io.open(path, 'wb'))
    file:seek('set', size - 1)
    file:write('\n')
    file:close()
    return path
end

describe('a file that is read whole', function()
    it('is no pipe and no device', function()
        run.bank()
        local pipe = run.dir .. '/pipe'
        assert.equal(0, run.shell('mkfifo ' .. run.quote(pipe)).code)
        for _, path in ipairs({pipe, '/dev/zero'}) do
            for _, reader in ipairs(READERS) do
                run.fails(2, reader[2] .. ': ' .. path
                    .. ': is no regular file', words(reader, path))
            end
        end
    end)

    it('has a largest size, which the error names', function()
        run.bank()
        for _, reader in ipairs(READERS) do
            local path = long_file(reader[3] + 1)
            local done = run.ate(words(reader, path))
            assert.not_equal(0, done.code)
            local said = ('%s: %s: has more than the %d bytes'):format(
                reader[2], path, reader[3])
            assert.is_truthy(done.err:find(said, 1, true), done.err)
        end
        -- One byte less is read, and is none.
        local done = run.ate('proof', 'check', long_file(SIGNED))
        assert.is_nil(done.err:find('has more than', 1, true), done.err)
    end)

    it('may come from stdin, in bounds, too', function()
        run.bank()
        local done = run.shell('"$ATE" proof check - </dev/zero')
        assert.is_truthy(done.err:find('proof check: stdin: has more than the '
            .. '67108864 bytes', 1, true), done.err)
    end)
end)

describe('the file of a certificate', function()
    it('is no pipe', function()
        run.bank()
        run.fails(2, 'certificate: /dev/zero: is no regular file', 'serve',
            '--rest', '0', '--tls-cert', '/dev/zero')
        run.fails(2, 'key: /dev/zero: is no regular file', 'serve', '--rest',
            '0', '--tls-cert', run.dir .. '/none', '--tls-key', '/dev/zero')
    end)
end)

describe('following', function()
    -- sum is a read of its own: it is one number, and no stream of rows.
    it('goes with rows, not with a sum', function()
        run.bank()
        run.fails(2, 'sum', 'view', 'bank', 'balance', '--follow',
            'sum=amount')
        run.fails(2, "'limit' does not go with 'follow'", 'view', 'bank',
            'balance', '--follow', '--limit', '1')
        run.write(run.dir .. '/sum.lua', [[
local ate = require('ate')
local bank = ate.open({data = arg[1]}):chain('bank')
local value, err = bank:read('sum', {view = 'balance', column = 'amount',
    where = {currency = 'eur'}, follow = true})
assert(value == nil)
error(err)
]])
        run.fails(2, 'follow', 'run', run.dir .. '/sum.lua', run.data)
        run.write(run.dir .. '/option.lua', [[
local ate = require('ate')
ate.open({data = arg[1]}):chain('bank'):sum('balance', 'amount',
    {currency = 'eur'}, {follow = true})
]])
        run.fails(1, 'no option "follow" here', 'run', run.dir
            .. '/option.lua', run.data)
    end)
end)
