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

describe('a body', function()
    it('is from a regular file or stdin, and goes into one', function()
        run.write(run.dir .. '/files.lua', [[
local ate = require('ate')
local t = ate.types
local files = ate.schema('files', {doc = 'Files.', version = 1,
    bodies = 'open'})
files:object('file', {
    doc = 'A file.', key = {'name'}, header = {name = t.name({max = 40})},
    body = t.blob({max = 1000}),
})
return files
]])
        run.write(run.dir .. '/text', 'text')
        run.ok('chain', 'create', 'files', '--schema', run.dir .. '/files.lua')
        run.ok('call', 'files', 'file.put', 'name=a', '--body',
            run.dir .. '/text')
        run.script('mkfifo pipe; mkdir folder')
        for path, why in pairs({pipe = 'is no regular file',
            ['/dev/zero'] = 'is no regular file', folder = 'is a folder'}) do
            run.fails(2, ('call: %%-%%-body: %s: %s; %%- reads stdin'):format(
                path, why), 'call', 'files', 'file.put', 'name=b', '--body', path)
        end
        run.fails(3, 'nosuch: No such file', 'call', 'files', 'file.put',
            'name=b', '--body', 'nosuch')
        for path, why in pairs({pipe = 'is no regular file',
            folder = 'is a folder'}) do
            run.fails(2, ('get: %%-%%-body: %s: %s; %%- writes to stdout')
                :format(path, why), 'get', 'files', 'file', 'a', '--body', path)
        end
        assert.equal('prw-', run.script('ls -l pipe').out:sub(1, 4))
    end)
end)

describe('what nobody writes', function()
    --- It waits, and a signal that it hears ends it.
    local function ends(command, said)
        for _, signal in ipairs({'INT', 'TERM'}) do
            local done = run.shell(([[
                rm -f pipe; mkfifo pipe
                exec 3<>pipe
                env --default-signal=INT "$ATE" %s 2>err 3<&- &
                pid=$!
                n=0
                until grep -q '^SigCgt:.*[4567cdef]..[2367abef]$' /proc/$pid/status; do
                    n=$((n + 1)); [ $n -lt 100000 ] || exit 99
                done
                kill -%s $pid
                wait $pid
            ]]):format(command, signal))
            assert.equal(130, done.code, command)
            -- It may still be opening the folder, or loading: then it ends
            -- without a word.
            local err = run.read(run.dir .. '/err')
            assert(err == '' or err:match(said) or err:match('canceled')
                or err:match('interrupted'), err)
        end
    end

    it('is waited for until Ctrl-C or TERM', function()
        run.bank()
        ends('call bank transfer --jsonl pipe', 'interrupted after line 0')
        ends('call bank transfer --jsonl - <pipe', 'interrupted after line 0')
        ends('call bank transfer --args - <pipe', 'stdin: interrupted')
        ends('proof check - <pipe', 'stdin: interrupted')
    end)

    it('is waited for with the pipe open', function()
        run.bank()
        local done = run.shell([[
            mkfifo pipe
            env --default-signal=INT "$ATE" call bank transfer --jsonl pipe \
                2>err &
            pid=$!
            n=0
            until ls -l /proc/$pid/fd 2>/dev/null | grep -q 'pipe$'; do
                n=$((n + 1)); [ $n -lt 10000 ] || exit 99
            done
            kill -INT $pid
            wait $pid
        ]])
        assert.equal(130, done.code, done.err)
    end)

    it('is read when it is written after all', function()
        run.bank()
        run.write(run.dir .. '/lines',
            '{"from": "alice", "to": "bob", "amount": "1"}\n')
        local done = run.script([[
            mkfifo pipe
            "$ATE" call bank transfer --jsonl pipe >out &
            cat lines >pipe
            wait $!
            cat out
        ]])
        assert.matches('^1 call, 1 accepted', done.out)
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

-- Who fills a name in from a variable that is not set does not pay from 'me'.
describe('an empty name', function()
    local PAY = {'call', 'bank', 'transfer', 'from=alice', 'to=bob', 'amount=1'}

    local function pay(...)
        local all = {unpack(PAY)}
        for _, word in ipairs({...}) do
            all[#all + 1] = word
        end
        return unpack(all)
    end

    local function nothing_was_paid()
        assert.equal(0, #run.json('view', 'bank', 'balance'))
    end

    it('is nobody to the command line', function()
        run.bank()
        for _, name in ipairs({'as', 'for', 'with', 'root'}) do
            local says = '%-%-' .. name .. ' is empty; give %u+ or leave it out'
            run.fails(2, says, pay('--' .. name .. '='))
            run.fails(2, says, pay('--' .. name, ''))
        end
        run.fails(2, 'nothing between two commas', pay('--with=me,'))
        nothing_was_paid()
    end)

    it('is nobody to a stream', function()
        run.bank()
        local args = '"args":{"from":"alice","to":"bob","amount":"1"}}\n'
        for as, says in pairs({['""'] = 'as is empty; leave it out',
            ['null'] = 'as is a text', ['1'] = 'as is a text'}) do
            run.write(run.dir .. '/calls', '{"as":' .. as .. ',' .. args)
            run.fails(2, 'line 1: .*' .. says, 'call', 'bank', 'transfer',
                '--jsonl', run.dir .. '/calls')
        end
        nothing_was_paid()
    end)

    it('is nobody to a script', function()
        run.bank()
        run.write(run.dir .. '/pay.lua', [[
local ate = require('ate')
local node = assert(ate.open({data = os.getenv('ATE_DATA')}))
local bank = node:chain('bank')
local args = {from = 'alice', to = 'bob', amount = '1'}
for _, name in ipairs({'as', 'act_for', 'with', 'roots'}) do
    local ok, err = bank:transfer(args, {[name] = ''})
    assert(ok == nil and err.code == 'INVALID', tostring(err))
    assert(err.text:find(name .. ' is empty; leave it out', 1, true), err.text)
end
print('nobody')
]])
        assert.equal('nobody\n', run.ok('run', run.dir .. '/pay.lua'))
        nothing_was_paid()
    end)
end)

describe('arguments', function()
    it('that are missing are told all at once, with their types', function()
        run.bank()
        run.fails(2, '^ate: bank transfer: amount %(amount%), from %(ref '
            .. 'account%), to %(ref account%): are missing\n$', 'call', 'bank',
            'transfer')
        run.fails(2, ': amount %(amount%), to %(ref account%): are missing\n$',
            'call', 'bank', 'transfer', 'from=nobody')
        run.fails(2, ': to: is missing %(ref account%)\n$', 'call', 'bank',
            'transfer', '--args', '{"from":"alice","to":null,"amount":"1"}')
    end)

    it('are told in words of who asks', function()
        run.bank()
        for value, what in pairs({['1'] = 'a number', ['true'] = 'a boolean',
            ['["x"]'] = 'a list', ['{}'] = 'a map'}) do
            run.fails(2, '^ate: bank account%.put: name: want text, got '
                .. what .. '\n$', 'call', 'bank', 'account.put', '--args',
                '{"owner":"me","name":' .. value .. '}')
        end
        local TORN = 'q\255'
        run.fails(2, '^ate: bank account%.put: name: want text, got bytes that '
            .. 'are not UTF%-8\n$', 'call', 'bank', 'account.put',
            'name=' .. TORN, 'owner=me')
        run.fails(2, "^ate: chain create: 'name' is not UTF%-8\n$", 'chain',
            'create', TORN, '--schema', run.root .. '/examples/bank/bank.lua')
    end)
end)
