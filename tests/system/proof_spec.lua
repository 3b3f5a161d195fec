-- What others believe without believing us: proofs, receipts, published trees,
-- and what becomes of them when somebody changes a byte. The other side is
-- checker/: tlog.mjs knows C2SP's pages and the RFC, proof.mjs format.md.
local h = require('helper')

local CHECK = h.root .. '/checker/cli.mjs'

--- So many transfers, as one stream.
local function transfer(count)
    local lines = {}
    for i = 1, count do
        lines[i] = '{"from":"alice","to":"bob","amount":"0.01"}'
    end
    h.write(h.dir .. '/transfers.jsonl', table.concat(lines, '\n') .. '\n')
    h.ok('call', 'bank', 'transfer', '--jsonl', h.dir .. '/transfers.jsonl')
end

local function make(count)
    h.bank()
    transfer(count)
end

local function shell_ok(script)
    local done = h.shell(script)
    assert(done.code == 0, script .. ': ' .. done.out .. done.err)
    return done.out
end

local function shell_fails(code, pattern, script)
    local done = h.shell(script)
    assert.are.equal(code, done.code, script .. ': ' .. done.out .. done.err)
    assert.is_truthy(done.err:find(pattern), done.err)
end

local function vkey()
    return h.json('chain', 'info', 'bank').vkey
end

local function size()
    return h.json('chain', 'info', 'bank').size
end

--- One byte of a file, changed.
local function flip(path, at)
    local text = h.read(path)
    local byte = text:byte(at + 1)
    local changed = byte % 2 == 0 and byte + 1 or byte - 1
    h.write(path, text:sub(1, at) .. string.char(changed) .. text:sub(at + 2))
    return text
end

describe('a proof', function()
    before_each(h.begin)
    after_each(h.finish)

    it('convinces who has nothing else', function()
        make(20)
        h.ok('chain', 'proof', 'bank', '7', '-o', h.dir .. '/p')
        -- No data folder, no key, no environment.
        local out = shell_ok('env -i "$ATE" proof check p')
        assert.is_truthy(out:find('transaction 7 of bank', 1, true))
        assert.is_truthy(out:find('method +bank.transfer'))
        assert.is_truthy(out:find('author +key:%x+, who signed it'))
        assert.is_truthy(out:find('amount +1\n'))
        assert.is_truthy(out:find('fields +as stored: amounts in their smal'))
        assert.is_truthy(out:find('the order key that genesis names'))
        out = h.ok('proof', 'check', h.dir .. '/p', 'bank')
        assert.is_truthy(out:find('amount +0.01\n'))
        assert.is_nil(out:find('as stored', 1, true))
        assert.is_truthy(out:find('from +alice\n'))
        assert.is_truthy(out:find('author +me %(key:%x+%), who signed it'))
        local info = h.json('chain', 'info', 'bank')
        assert.are.same({'me', 'node'}, {info.roots[1], info.order})
        assert.is_truthy(out:find('fits +bank\n'))
        local told = h.json('proof', 'check', h.dir .. '/p', '--path',
            h.path())
        assert.are.equal(true, told.compared)
        assert.are.equal(true, told.author_checked)
        assert.are.equal(7, told.index)
        assert.are.equal(1, told.events[1].fields.amount)
    end)

    it('is one for tools that know C2SP, and for format.md', function()
        make(20)
        for _, index in ipairs({0, 1, 2, 7, 23}) do
            h.ok('chain', 'proof', 'bank', tostring(index), '-o',
                h.dir .. '/p')
            local out = shell_ok(CHECK .. ' proof p')
            assert.is_truthy(out:find(('transaction %d of bank'):format(index)))
            local leaf = out:match('\n(%x+)\n$')
            shell_ok(("%s proof p --vkey '%s' --leaf %s"):format(CHECK, vkey(),
                leaf))
            shell_fails(8, 'another root',
                ("%s proof p --vkey '%s' --leaf %s00"):format(CHECK, vkey(),
                leaf))
            shell_ok('"$ATE" proof check p')
        end
    end)

    it('is of the size that is asked for', function()
        make(20)
        local told = h.json('chain', 'proof', 'bank', '5', '--size', '9')
        assert.are.equal(9, told.size)
        h.write(h.dir .. '/p', told.proof)
        assert.is_truthy(h.ok('proof', 'check', h.dir .. '/p')
            :find('size +9\n'))
        h.fails(3, 'not among the 5', 'chain', 'proof', 'bank', '5', '--size',
            '5')
        local all = size() -- heartbeats are in it, as many as took seconds
        h.fails(3, ('has %d transactions, not 99'):format(all), 'chain',
            'proof', 'bank', '5', '--size', '99')
        h.fails(3, 'not among the ' .. all, 'chain', 'proof', 'bank', all)
        h.fails(2, 'is the index', 'chain', 'proof', 'bank', 'x')
    end)

    it('is refused when a byte is changed', function()
        make(5)
        local path = h.dir .. '/p'
        h.ok('chain', 'proof', 'bank', '5', '-o', path)
        local good = h.read(path)
        for at = 0, #good - 1, 61 do
            flip(path, at)
            h.fails(8, 'p: ', 'proof', 'check', path)
            shell_fails(8, '^check: p: ', CHECK .. ' proof p')
            h.write(path, good)
        end
        h.write(path, good:sub(1, -2))
        h.fails(8, 'checkpoint', 'proof', 'check', path)
        h.write(path, '')
        h.fails(8, 'neither a proof', 'proof', 'check', path)
        h.fails(3, 'No such file', 'proof', 'check', h.dir .. '/none')
    end)

    it('says which part does not fit', function()
        make(5)
        local path = h.dir .. '/p'
        h.ok('chain', 'proof', 'bank', '5', '-o', path)
        local good = h.read(path)
        h.write(path, (good:gsub('index 5', 'index 6')))
        h.fails(8, 'proof: inclusion: leaf 6 and its proof do not come to',
            'proof', 'check', path)
        h.write(path, (good:gsub('\n\nate/', '\nAAAA\n\nate/')))
        h.fails(8, 'proof: line %d+: it is not a hash', 'proof', 'check', path)
        h.write(path, (good:gsub('\nextra [^\n]+', '')))
        h.fails(8, 'proof: line 2: it is not "extra"', 'proof', 'check', path)
        h.write(path, (good:gsub('(\n\nate/%x+\n)%d+\n', '%14\n')))
        h.fails(8, 'proof: checkpoint: ', 'proof', 'check', path)
    end)

    it('does not fit another chain', function()
        make(5)
        h.ok('chain', 'create', 'other', '--schema', h.dir .. '/bank.lua')
        h.ok('chain', 'proof', 'bank', '5', '-o', h.dir .. '/p')
        h.fails(8, 'other: .*another chain', 'proof', 'check', h.dir .. '/p',
            'other')
        h.fails(2, 'not with both', 'proof', 'check', h.dir .. '/p', 'bank',
            '--path', h.path())
        h.fails(3, 'no chain', 'proof', 'check', h.dir .. '/p', 'none')
    end)

    it('finds out a chain that tells another story', function()
        make(5)
        shell_ok('cp -r data before')
        h.ok('call', 'bank', 'transfer', 'from=alice', 'to=bob', 'amount=1')
        h.ok('chain', 'proof', 'bank', '9', '-o', h.dir .. '/p')
        -- The same order key, the same size, another transaction.
        shell_ok('"$ATE" call bank transfer from=bob to=alice amount=2 '
            .. '--as bob --data before')
        shell_fails(8, 'another log', '"$ATE" proof check p bank --data before')
        shell_ok('rm -r before && cp -r data before')
        shell_ok('"$ATE" proof check p bank --data before')
    end)

    it('needs the key when genesis names another', function()
        make(5)
        h.ok('chain', 'proof', 'bank', '5', '-o', h.dir .. '/before')
        shell_ok('"$ATE" key new next && "$ATE" chain order bank next')
        h.ok('call', 'bank', 'transfer', 'from=alice', 'to=bob',
            'amount=1')
        h.ok('chain', 'proof', 'bank', '5', '-o', h.dir .. '/p')
        h.ok('proof', 'check', h.dir .. '/before')
        h.ok('proof', 'check', h.dir .. '/before', 'bank')
        h.fails(8, 'the order key that genesis names did not sign it.*give '
            .. 'the one that you trust', 'proof', 'check', h.dir .. '/p')
        local out = h.ok('proof', 'check', h.dir .. '/p', '--key', vkey())
        assert.is_truthy(out:find('promised by +the key given: ate/'))
        h.fails(8, 'signed by another key', 'proof', 'check',
            h.dir .. '/before', '--key', vkey())
        h.fails(2, 'not a key that checks notes', 'proof', 'check',
            h.dir .. '/p', '--key', 'bob')
    end)
end)

describe('a receipt', function()
    before_each(h.begin)
    after_each(h.finish)

    it('is compared with the chain', function()
        make(5)
        local write = h.json('call', 'bank', 'transfer', 'from=alice', 'to=bob',
            'amount=1')
        h.write(h.dir .. '/r', write.receipt .. '\n')
        h.ok('call', 'bank', 'transfer', 'from=alice', 'to=bob', 'amount=2')
        local out = h.ok('proof', 'check', h.dir .. '/r', 'bank')
        assert.is_truthy(out:find('tx +' .. write.tx))
        shell_ok('cp -r "$("$ATE" chain path bank)" copy')
        h.ok('proof', 'check', h.dir .. '/r', '--path', h.dir .. '/copy')
        h.fails(2, 'name the chain', 'proof', 'check', h.dir .. '/r')
        local told = h.json('proof', 'check', h.dir .. '/r', 'bank')
        assert.are.equal('receipt', told.kind)
        for at = 0, #write.receipt - 1, 41 do
            flip(h.dir .. '/r', at)
            h.fails(8, '', 'proof', 'check', h.dir .. '/r', 'bank')
            h.write(h.dir .. '/r', write.receipt .. '\n')
        end
    end)

    it('shows that a log was cut back', function()
        make(5)
        shell_ok('cp -r data before')
        local write = h.json('call', 'bank', 'transfer', 'from=alice', 'to=bob',
            'amount=1')
        h.write(h.dir .. '/r', write.receipt)
        shell_fails(7, 'cannot be compared',
            '"$ATE" proof check r bank --data before')
        shell_ok('"$ATE" call bank transfer from=bob to=alice amount=2 '
            .. '--as bob --data before')
        shell_fails(8, 'another log', '"$ATE" proof check r bank --data before')
    end)
end)

describe('a checkpoint', function()
    before_each(h.begin)
    after_each(h.finish)

    it('is signed where the order key is', function()
        make(5)
        local told = h.json('chain', 'checkpoint', 'bank')
        assert.are.equal(size(), told.size)
        assert.are.equal(told.checkpoint, h.ok('chain', 'checkpoint', 'bank'))
        assert.are.equal(vkey(), told.vkey)
        h.write(h.dir .. '/c', told.checkpoint)
        shell_ok(('%s "%s" --checkpoint c'):format(CHECK, h.path()))
        shell_ok('rm data/keys/node.key')
        h.fails(7, 'does not hold the chain\'s order key', 'chain',
            'checkpoint', 'bank')
        h.fails(7, 'does not hold', 'chain', 'proof', 'bank', '5')
        h.fails(7, 'does not hold', 'chain', 'publish', 'bank', h.dir .. '/w')
        h.ok('chain', 'proof', 'bank', '5', '--checkpoint', h.dir .. '/c',
            '-o', h.dir .. '/p')
        h.ok('proof', 'check', h.dir .. '/p')
        h.ok('chain', 'publish', 'bank', h.dir .. '/w', '--checkpoint',
            h.dir .. '/c')
        flip(h.dir .. '/c', 80)
        h.fails(8, '', 'chain', 'proof', 'bank', '5', '--checkpoint',
            h.dir .. '/c')
        h.fails(2, 'one too many', 'chain', 'proof', 'bank', '5',
            '--checkpoint', h.dir .. '/c', '--size', '3')
    end)
end)

describe('a published tree', function()
    before_each(h.begin)
    after_each(h.finish)

    local function tlog(more)
        return ("%s tree w --vkey '%s' %s"):format(CHECK, vkey(), more or '')
    end

    it('is checked by who knows C2SP alone, and grows', function()
        h.bank()
        h.ok('chain', 'publish', 'bank', h.dir .. '/w')
        shell_ok(tlog())
        local was = h.read(h.dir .. '/w/checkpoint')
        h.write(h.dir .. '/first', was)
        for _, count in ipairs({250, 5, 300}) do
            transfer(count)
            h.ok('chain', 'publish', 'bank', h.dir .. '/w')
            shell_ok(tlog('--since first'))
        end
        -- What became full has no part left, and is not written twice.
        assert.are.equal('', shell_ok('find w -name "000.p" -path "*/0/*"'))
        local told = h.json('chain', 'publish', 'bank', h.dir .. '/w')
        assert.are.equal(0, told.files)
        assert.are.equal(size(), told.size)
        h.write(h.dir .. '/first', (was:gsub('\n(%d+)\n', '\n2\n')))
        shell_fails(8, 'signature is wrong', tlog('--since first'))
    end)

    it('is refused where a byte was changed', function()
        make(300)
        h.ok('chain', 'publish', 'bank', h.dir .. '/w')
        local rest = size() - 256
        for _, name in ipairs({'tile/0/000', 'tile/entries/000',
            'tile/1/000.p/1', 'tile/0/001.p/' .. rest,
            'tile/entries/001.p/' .. rest, 'checkpoint'}) do
            local path = h.dir .. '/w/' .. name
            local good = flip(path, math.floor(#h.read(path) / 2))
            shell_fails(8, '^check: w: ', tlog())
            h.write(path, good)
            shell_ok('mv w/' .. name .. ' gone')
            shell_fails(8, 'no such file', tlog())
            shell_ok('mv gone w/' .. name)
        end
        shell_ok(tlog())
        -- What promises less than it should is not built upon.
        flip(h.dir .. '/w/checkpoint', 90)
        h.fails(8, 'w/checkpoint: ', 'chain', 'publish', 'bank', h.dir .. '/w')
    end)

    it('is of one chain and one past', function()
        make(5)
        shell_ok('cp -r data before')
        h.ok('chain', 'publish', 'bank', h.dir .. '/w')
        h.ok('chain', 'create', 'other', '--schema', h.dir .. '/bank.lua')
        h.fails(8, 'w/checkpoint: the checkpoint is of another chain', 'chain',
            'publish', 'other', h.dir .. '/w')
        h.ok('call', 'bank', 'transfer', 'from=alice', 'to=bob', 'amount=1')
        h.ok('chain', 'publish', 'bank', h.dir .. '/w')
        shell_fails(7, 'cannot be compared',
            '"$ATE" chain publish bank w --data before')
        shell_ok('"$ATE" call bank transfer from=bob to=alice amount=2 '
            .. '--as bob --data before')
        shell_fails(8, 'another log',
            '"$ATE" chain publish bank w --data before')
        shell_ok('"$ATE" chain checkpoint bank --data before >fork')
        transfer(5)
        h.ok('chain', 'publish', 'bank', h.dir .. '/w')
        shell_fails(8, 'consistency: another root', tlog('--since fork'))
        h.write(h.dir .. '/c', h.ok('chain', 'checkpoint', 'bank', '--size',
            '4'))
        h.fails(5, 'never gets smaller', 'chain', 'publish', 'bank',
            h.dir .. '/w', '--checkpoint', h.dir .. '/c')
        shell_ok('mkdir full && touch full/file')
        h.fails(5, 'a folder of its own', 'chain', 'publish', 'bank',
            h.dir .. '/full')
        shell_ok(tlog())
    end)

    it('can be cut off and gone on with', function()
        make(300)
        h.ok('chain', 'publish', 'bank', h.dir .. '/w')
        shell_ok('rm w/checkpoint w/tile/1/000.p/1 && truncate -s 99 '
            .. 'w/tile/0/000')
        h.ok('chain', 'publish', 'bank', h.dir .. '/w')
        shell_ok(tlog())
    end)
end)

describe('the file of tiles', function()
    before_each(h.begin)
    after_each(h.finish)

    --- Proofs of some transactions, all of which hold.
    local function prove(data)
        for _, index in ipairs({0, 3, 255, 256, 400}) do
            shell_ok(('"$ATE" chain proof bank %d -o p %s && "$ATE" proof '
                .. 'check p'):format(index, data or ''))
        end
    end

    it('may be damaged, missing or foreign', function()
        make(600)
        local path = h.path() .. '/tiles'
        local good = h.read(path)
        assert.are.equal(3 * 8192, #good)
        shell_ok(CHECK .. ' "' .. h.path() .. '"')
        prove()
        for _, at in ipairs({0, 20, 41, 8192, 9000, 20000}) do
            flip(path, at)
            shell_fails(8, 'tiles: ', CHECK .. ' --strict "' .. h.path()
                .. '"')
            prove()
            -- A writer makes it whole, at the latest when it is read.
            h.ok('call', 'bank', 'transfer', 'from=alice', 'to=bob',
                'amount=0.01')
            h.write(path, good)
        end
        os.remove(path)
        prove()
        h.ok('chain', 'verify', 'bank')
        h.ok('call', 'bank', 'transfer', 'from=alice', 'to=bob',
            'amount=0.01')
        assert.are.equal(good, h.read(path))
        h.write(path, ('x'):rep(30000))
        prove()
        h.ok('call', 'bank', 'transfer', 'from=alice', 'to=bob',
            'amount=0.01')
        assert.are.equal(good, h.read(path):sub(1, #good))
    end)

    it('is not needed to read a copy', function()
        make(600)
        h.write(h.dir .. '/c', h.ok('chain', 'checkpoint', 'bank'))
        h.ok('chain', 'proof', 'bank', '300', '-o', h.dir .. '/p')
        shell_ok('cp -r "$("$ATE" chain path bank)" copy && rm copy/tiles')
        h.ok('proof', 'check', h.dir .. '/p', '--path', h.dir .. '/copy')
        h.ok('chain', 'verify', '--path', h.dir .. '/copy')
        assert.is_nil(io.open(h.dir .. '/copy/tiles'))
    end)

    it('grows while others read', function()
        make(200)
        local out = shell_ok([[
            for i in 1 2 3 4; do
                "$ATE" call bank transfer --jsonl transfers.jsonl >/dev/null &
                for k in 1 2 3 4 5; do
                    "$ATE" chain proof bank 100 -o p && "$ATE" proof check p \
                        >/dev/null || exit 1
                done
                wait $!
            done
            "$ATE" chain verify bank
        ]])
        assert.is_truthy(out:find('all as recorded', 1, true))
        shell_ok(CHECK .. ' "' .. h.path() .. '"')
    end)
end)
