local run = require('helper')

before_each(run.begin)
after_each(run.finish)

local function transfer(amount)
    return run.ate('call', 'bank', 'transfer', 'from=alice', 'to=bob',
        'amount=' .. amount)
end

describe('a flipped byte', function()
    it('of the header file is found at opening, and can be undone', function()
        run.bank()
        transfer('1')
        local head = run.path() .. '/1.head'
        local before = run.read(head)
        local done = run.ate('dev', 'flip-byte', run.path())
        assert.equal(0, done.code, done.err)
        local file, offset = done.out:match('^(%S+) offset (%d+): ')
        assert.equal(head, file)
        assert.is_true(tonumber(offset) >= 0x2000)
        run.fails(8, '1%.head', 'view', 'bank', 'balance')
        run.fails(8, '1%.head', 'chain', 'verify', 'bank')
        run.fails(8, '1%.head', 'chain', 'verify', '--path',
            head:match('^(.*)/'))
        assert.equal(8, transfer('1').code)
        run.ok('dev', 'flip-byte', head, '--offset', offset)
        assert.equal(before, run.read(head))
        assert.same({alice = '-1.00', bob = '1.00'}, run.balance())
        assert.equal(0, transfer('1').code)
    end)

    -- Wherever the byte is, what was acknowledged is never taken back silently.
    it('anywhere in the frames is found', function()
        run.bank()
        transfer('1')
        local folder = run.path()
        local size = #run.read(folder .. '/1.head')
        local seed = os.time()
        math.randomseed(seed)
        for _ = 1, 12 do
            local offset = math.random(0x2000, size - 1)
            run.ok('dev', 'flip-byte', folder .. '/1.head', '--offset', offset)
            local done = run.ate('chain', 'verify', '--path', folder)
            assert(done.code == 8, ('seed %d, offset %d: exit %d: %s%s'):format(
                seed, offset, done.code, done.out, done.err))
            run.ok('dev', 'flip-byte', folder .. '/1.head', '--offset', offset)
        end
        run.ok('chain', 'verify', '--path', folder)
    end)

    it('of a body is found by verify and by the first read', function()
        run.notes()
        local folder = run.path('notes')
        run.ok('get', 'notes', 'note', 'a')
        run.ok('dev', 'flip-byte', folder .. '/1.body')
        run.fails(8, 'transaction 2: event 0: body in %S+/1%.body at offset 0: ',
            'chain', 'verify', 'notes')
        for _, read in ipairs({'get', 'history'}) do
            run.fails(8, 'body of 2%.0: %S+/1%.body at offset 0: ', read,
                'notes', 'note', 'a')
        end
        run.ok('list', 'notes', 'note', '-n', '0')
        run.ok('dev', 'flip-byte', folder .. '/1.body')
        run.ok('chain', 'verify', 'notes')
    end)

    it('beside the slots is found, in one of them told', function()
        run.bank()
        local head = run.path() .. '/1.head'
        local function flip(offset)
            run.ok('dev', 'flip-byte', head, '--offset', offset)
        end
        for _, offset in ipairs({0x80, 0x1fff}) do
            flip(offset)
            run.fails(8, '1%.head: the byte at offset ' .. offset
                .. ' is not zero', 'view', 'bank', 'balance')
            run.fails(8, 'not zero', 'chain', 'verify', 'bank')
            assert.equal(8, transfer('1').code)
            flip(offset)
        end
        for _, offset in ipairs({0x10, 0x1010}) do
            flip(offset)
            local told = '1%.head: the slot at offset '
                .. (offset - offset % 0x1000) .. ' is damaged: the checksum'
            local done = run.ate('chain', 'verify', 'bank')
            assert.equal(0, done.code, done.err)
            assert.matches('^warning: .*' .. told, done.err)
            assert.matches(told,
                run.json('chain', 'verify', 'bank').damaged_slot)
            assert.matches('damaged_slot .*' .. told,
                run.ok('chain', 'info', 'bank'))
            flip(offset)
        end
        assert.is_nil(run.json('chain', 'verify', 'bank').damaged_slot)
        assert.equal(0, transfer('1').code)
    end)

    it('of the file of names is made good', function()
        run.bank()
        local names = run.data .. '/names'
        local before = run.read(names)
        for _, offset in ipairs({0, 20, #before - 1}) do
            run.ok('dev', 'flip-byte', names, '--offset', offset)
            local damaged = run.read(names)
            assert.matches('bank', run.ok('chain', 'ls'))
            assert.equal(damaged, run.read(names)) -- who reads does not write
            run.fails(5, 'there is a chain \'bank\' already', 'chain', 'create',
                'bank', '--schema', run.dir .. '/bank.lua')
            assert.equal(before, run.read(names))
        end
        assert.equal(0, os.remove(names) and 0)
        assert.equal(0, transfer('1').code)
        assert.equal(before, run.read(names))
    end)

    it('needs a place that is there', function()
        run.bank()
        run.fails(3, 'no chain\'s folder', 'dev', 'flip-byte', run.dir)
        run.fails(2, 'ends before offset', 'dev', 'flip-byte',
            run.dir .. '/bank.lua', '--offset', '1000000')
    end)
end)

describe('a torn tail', function()
    local function info()
        local done = run.shell([["$ATE" chain info bank --json]])
        assert.equal(0, done.code, done.err)
        return done.out
    end

    it('is told by info until it was cut off, and by whom it was', function()
        run.bank()
        transfer('1')
        assert.is_nil(info():find('torn_bytes', 1, true))
        run.shell([[
            printf 'half a frame' >>"$("$ATE" chain path bank)/1.head"
        ]])
        assert.matches('"torn_bytes":12,', info())
        assert.matches('behind the last frame stand 12 bytes', run.shell(
            [["$ATE" chain verify --path "$("$ATE" chain path bank)"]]).err)
        local done = run.shell([[echo 'bank.info()' | "$ATE" repl]])
        assert.equal(0, done.code, done.err)
        assert.matches('\ncut_bytes +12\n', done.out)
        assert.is_nil(info():find('_bytes":12', 1, true))
        run.ok('chain', 'verify', 'bank')
    end)
end)

describe('a copied folder', function()
    it('verifies without keys, anywhere', function()
        run.bank()
        transfer('1')
        local done = run.shell([[
            cp -r "$("$ATE" chain path bank)" copy
            size=$("$ATE" chain info bank | sed -n 's/^size *//p')
            rm -rf "$ATE_DATA"
            ATE_DATA=/nonexistent HOME=/nonexistent \
                "$ATE" chain verify --path copy || exit
            echo "$size transactions"
        ]])
        assert.equal(0, done.code, done.err)
        local verified, size = done.out:match('\n(%d+) transactions, .*: all '
            .. 'as recorded[^\n]*\n(%d+) transactions\n$')
        assert.equal(size, verified)
    end)

    it('that is damaged does not', function()
        run.notes()
        local function copy(damage)
            return run.shell([[
                rm -rf copy
                cp -r "$("$ATE" chain path notes)" copy
                cd copy
            ]] .. damage .. [[

                cd ..
                ATE_DATA=/nonexistent "$ATE" chain verify --path copy
            ]])
        end
        for _, damage in ipairs({
            'truncate -s 9000 1.head', 'truncate -s 4096 1.head',
            ': >1.head', 'rm 1.head', 'truncate -s 100 1.body', 'rm 1.body',
            'head -c 20000 /dev/urandom >1.head', 'truncate -s 10 cur',
            'printf x | dd of=cur bs=1 seek=20 conv=notrunc 2>/dev/null',
        }) do
            local done = copy(damage)
            assert(done.code == 8, ('%s: exit %d: %s%s'):format(damage,
                done.code, done.out, done.err))
            assert.matches('^ate: .*copy', done.err)
        end
        assert.equal(0, copy(':').code)
        run.fails(3, 'empty', 'chain', 'verify', '--path',
            (os.execute('mkdir ' .. run.dir .. '/empty') == 0)
            and run.dir .. '/empty')
    end)

    -- Whoever reads it knows what to do next.
    it('says what can be done', function()
        run.bank()
        local folder = run.path()
        local function damaged(damage, pattern)
            run.shell(('cp -a %s kept; cd %s; %s'):format(folder, folder,
                damage))
            local err = run.fails(8, pattern, 'view', 'bank', 'balance')
            assert.matches('^ate: chain bank: ', err)
            local listed = run.ate('chain', 'ls', '-l')
            assert.equal(8, listed.code)
            assert.equal(err, listed.err)
            assert.matches('\nbank .* %a+\n$', listed.out)
            listed = run.ate('chain', 'ls', '-l', '--json')
            assert.matches('"advice":"', listed.err)
            run.shell(('rm -rf %s; mv kept %s'):format(folder, folder))
        end
        local copy = '; put the folder of the chain back from a copy; '
            .. 'ate chain verify %-%-path DIR'
        damaged('rm cur', copy)
        damaged('printf x | dd of=cur bs=1 seek=20 conv=notrunc', copy)
        damaged('head -c 8192 /dev/zero | dd of=1.head conv=notrunc', copy)
        damaged('rm 1.head', copy)
        damaged('"$ATE" dev flip-byte .', '; ate chain tail bank shows')
        run.shell(('rm %s/cur'):format(folder))
        run.fails(8, '^ate: chain bank: ', 'chain', 'ls')
        run.shell('rm -r ' .. folder)
        run.fails(3, '^ate: chain bank: .*: there is no chain' .. copy, 'view',
            'bank', 'balance')
    end)

    it('is held against the id that it is named after', function()
        run.bank()
        run.ok('chain', 'create', 'other', '--schema', run.dir .. '/bank.lua')
        local bank, other = run.path('bank'), run.path('other')
        local id = other:match('[^/]+$')
        local function verify(name)
            return run.shell('rm -rf at && mkdir at && cp -r '
                .. run.quote(bank) .. ' at/' .. name
                .. ' && cd at/' .. name .. ' && "$ATE" chain verify --path .')
        end
        assert.equal(0, verify('copy').code)
        assert.equal(0, verify(bank:match('[^/]+$')).code)
        local done = verify(id)
        assert.equal(8, done.code)
        assert.matches('the folder is named after another chain than the one '
            .. 'in it, bank, whose id is ' .. bank:match('[^/]+$'), done.err)
        run.ok('chain', 'verify', '--path', other)
    end)

    it('of another chain in its place is refused', function()
        run.bank()
        run.shell([["$ATE" chain create other --schema bank.lua]])
        local done = run.shell([[
            a=$("$ATE" chain path bank) b=$("$ATE" chain path other)
            cp "$b/1.head" "$a/1.head"
            "$ATE" view bank balance
        ]])
        assert.equal(8, done.code, done.out .. done.err)
        assert.matches('1%.head', done.err)
        done = run.shell('"$ATE" view other balance')
        assert.equal(0, done.code, done.err)
    end)
end)

describe('a key', function()
    it('that was lost is not made up for', function()
        run.bank()
        local me = run.data .. '/keys/me.key'
        assert(os.rename(me, run.dir .. '/kept'))
        local text = run.fails(3, 'no key \'me\', and none is made where there '
            .. 'are chains: put keys/me%.key back', 'call', 'bank', 'transfer',
            'from=alice', 'to=bob', 'amount=1')
        assert.matches('%(there are: bob%); or make it with ate key new me', text)
        run.fails(3, 'no key \'me\'', 'chain', 'create', 'other', '--schema',
            run.dir .. '/bank.lua')
        run.ok('view', 'bank', 'balance')
        assert(os.rename(run.dir .. '/kept', me))
        assert.equal(0, transfer('1').code)
    end)

    it('that is none, or away, says what can be done', function()
        run.bank()
        local function fails(code, text)
            local done = transfer('1')
            assert.equal(code, done.code)
            assert.matches(text, done.err)
        end
        local node = run.data .. '/keys/node.key'
        assert(os.rename(node, run.dir .. '/kept'))
        fails(7, "the chain's order key .*; write where it is, or put "
            .. 'keys/node%.key back from a copy\n')
        assert(os.rename(run.dir .. '/kept', node))
        run.write(run.data .. '/keys/me.key', 'hello\n')
        fails(2, 'keys/me%.key: not a key file: .*; put it back from a copy\n')
    end)

    it('that others can read signs nothing', function()
        run.bank()
        for _, name in ipairs({'me', 'node'}) do
            local file = run.data .. '/keys/' .. name .. '.key'
            os.execute('chmod 640 ' .. run.quote(file))
            local text = run.fails(4, 'key ' .. name .. ': others can read its '
                .. 'file, so it signs nothing: chmod 600', 'call', 'bank',
                'transfer', 'from=alice', 'to=bob', 'amount=1')
            run.ok('view', 'bank', 'balance')
            os.execute(text:match('chmod 600 .*'))
            assert.equal(0, transfer('1').code)
        end
    end)
end)

describe('two chains of one name', function()
    it('are told, and neither is taken for the other', function()
        run.bank()
        local done = run.shell([[
            mv "$ATE_DATA" first
            "$ATE" chain create bank --schema bank.lua >/dev/null &&
            cp -r first/?? "$ATE_DATA" && rm "$ATE_DATA/names" || exit
            "$ATE" chain ls
            "$ATE" chain info bank
        ]])
        assert.equal(5, done.code)
        local _, count = done.out:gsub('bank', '')
        assert.equal(2, count)
        assert.matches('^warning: two chains are called \'bank\', in %x%x/%x+ '
            .. 'and in %x%x/%x+: move the folder of one away\n', done.err)
    end)
end)

describe('one writer', function()
    it('keeps others from writing, not from reading', function()
        run.bank()
        local done = run.shell(run.PRELUDE .. [[
            mkfifo calls
            "$ATE" call bank transfer --json --jsonl calls >answers &
            writer=$!
            children=$writer
            exec 3>calls
            echo '{"from":"alice","to":"bob","amount":"1.00"}' >&3
            await test -s answers
            "$ATE" call bank transfer from=alice to=bob amount=1 2>refused
            echo "second $?"
            "$ATE" view bank balance -o csv
            "$ATE" call bank account.get name=alice >/dev/null
            echo "read $?"
            exec 3>&-
            wait $writer
            echo "first $?"
            cat refused >&2
        ]])
        assert.equal('second 7\naccount,amount\nalice,-1.00\nbob,1.00\n'
            .. 'read 0\nfirst 0\n', done.out, done.err)
        assert.matches('^ate: [^\n]*/data: another process is writing there '
            .. '%(pid %d+%); what only reads can be used meanwhile: get, ',
            done.err)
    end)

    it('that is killed loses nothing that it answered', function()
        run.bank()
        local done = run.shell(run.PRELUDE .. [[
            mkfifo calls
            "$ATE" call bank transfer --json --jsonl calls >answers &
            writer=$!
            children=$writer
            exec 3>calls
            i=0
            while [ $i -lt 300 ]; do
                echo '{"from":"alice","to":"bob","amount":"0.01"}'
                i=$((i + 1))
            done >&3
            await eval '[ $(wc -l <answers) -ge 300 ]'
            kill -9 $writer
            wait $writer
            "$ATE" chain verify bank >/dev/null || exit 8
            "$ATE" view bank balance account=bob -o csv
        ]])
        assert.equal('account,amount\nbob,3.00\n', done.out, done.err)
        assert.equal(0, transfer('1').code)
    end)

    it('that is interrupted ends in order', function()
        run.bank()
        local done = run.shell(run.PRELUDE .. [[
            mkfifo calls
            "$ATE" call bank transfer --jsonl calls >answers &
            writer=$!
            children=$writer
            exec 3>calls
            echo '{"from":"alice","to":"bob","amount":"1.00"}' >&3
            await eval '"$ATE" view bank balance -o csv | grep -q bob,1.00'
            kill -TERM $writer
            wait $writer
            echo "$?"
            cat answers
        ]])
        assert.matches('^130\n1 call, 1 accepted, 0 refused, ', done.out,
            done.err)
        assert.matches('interrupted after line 1', done.err)
    end)
end)

local function is_root()
    return io.popen('id -u'):read('*l') == '0'
end

describe('a folder without write permission', function()
    it('is read, and refuses to be written', function()
        run.bank()
        local as = ''
        if is_root() then
            as = 'setpriv --reuid=65534 --regid=65534 --clear-groups '
        end
        local done = run.shell('try() { ' .. as .. '"$ATE" "$@"; }\n' .. [[
            chmod 755 . && chmod -R a+rX,a-w "$ATE_DATA" || exit
            try call bank transfer from=alice to=bob amount=1
            echo "write $?"
            try key new carol
            echo "key $?"
            try view bank balance -o csv
            echo "read $?"
            chmod 555 . && try new ./shop
            echo "new $?"
            chmod 755 .
            chmod -R u+w "$ATE_DATA"
        ]])
        assert.equal('write 4\nkey 4\naccount,amount\nread 0\nnew 4\n',
            done.out, done.err)
        assert.matches('^ate: [^\n]*/data/lock: opening: Permission denied; '
            .. 'who owns the folder can write there; what only reads',
            done.err)
        assert.matches('new: make folder %./shop: Permission denied; name a '
            .. 'folder where you may write\n', done.err)
    end)
end)

describe('a full disk', function()
    it('makes a chain, or says what there is of it', function()
        if not is_root() then
            pending('needs root for a tmpfs')
            return
        end
        run.bank_schema()
        local done = run.shell([[
            mkdir -p "$ATE_DATA"
            for size in 16 20 24 28 32 36 40 44 48 64; do
                mount -t tmpfs -o size=${size}k ate-test "$ATE_DATA" || exit 77
                trap 'umount -l "$ATE_DATA"' EXIT
                made=0 listed=no told=no
                "$ATE" chain create bank --schema bank.lua 2>err || made=$?
                "$ATE" chain ls 2>&1 | grep -q '^bank ' && listed=yes
                grep -q 'the chain is made, and has its name' err && told=yes
                echo "made $made listed $listed told $told"
                umount "$ATE_DATA"
            done
        ]])
        if done.code == 77 then
            pending('needs the right to mount a tmpfs')
            return
        end
        for line in done.out:gmatch('made [^\n]+') do
            assert.is_true(line == 'made 0 listed yes told no'
                or line == 'made 7 listed yes told yes'
                or line == 'made 7 listed no told no', line)
        end
        assert.equal(0, done.code, done.out .. done.err)
        assert.matches('made 7 listed no', done.out)
        assert.matches('made 7 listed yes', done.out)
        assert.matches('made 0 listed yes', done.out)
    end)

    it('keeps nothing of what a command could not write whole', function()
        if not is_root() then
            pending('needs root for a tmpfs')
            return
        end
        run.bank()
        local done = run.shell([[
            mkdir small
            mount -t tmpfs -o size=64k ate-test small || exit 77
            trap 'umount -l small' EXIT
            dd if=/dev/zero of=small/filler bs=1k count=40 2>/dev/null
            for words in "new small/a/bank" "check bank.lua --stubs small/b/c" \
                "chain publish bank small/d"
            do
                # What is left is not enough for the third one either.
                [ "${words#chain}" = "$words" ] ||
                    dd if=/dev/zero of=small/full bs=1k 2>/dev/null
                "$ATE" $words
                echo "exit $?"
                ls small | grep -v '^fil\|^full'
                find small -name '*.tmp'
            done
            mount -o remount,size=1m small
            "$ATE" new small/a/bank >/dev/null 2>&1 && echo made
        ]])
        if done.code == 77 then
            pending('needs the right to mount a tmpfs')
            return
        end
        assert.equal('exit 7\nexit 7\nexit 7\nmade\n', done.out, done.err)
        local _, count = done.err:gsub('No space left on device', '')
        assert.equal(3, count, done.err)
    end)

    it('stops writing, loses nothing, and goes on with room', function()
        if not is_root() then
            pending('needs root for a tmpfs')
            return
        end
        run.bank_schema()
        local calls = {}
        for i = 1, 20000 do
            calls[i] = '{"from":"alice","to":"bob","amount":"0.01"}\n'
                .. '{"from":"bob","to":"alice","amount":"0.01"}\n'
        end
        run.write(run.dir .. '/calls', table.concat(calls))
        local done = run.shell([[
            mkdir -p "$ATE_DATA"
            mount -t tmpfs -o size=1m ate-test "$ATE_DATA" || exit 77
            trap 'umount -l "$ATE_DATA"' EXIT
            "$ATE" chain create bank --schema bank.lua \
                --accept accept-all,serializer,structured-logic >/dev/null &&
            "$ATE" call bank account.put name=alice owner=me >/dev/null &&
            "$ATE" call bank account.put name=bob owner=me >/dev/null || exit 9
            dd if=/dev/zero of="$ATE_DATA/filler" bs=1k count=300 2>/dev/null
            "$ATE" call bank transfer --json --jsonl calls >answers
            echo "full $?"
            "$ATE" chain verify bank >/dev/null
            echo "verify $?"
            "$ATE" list bank transfer -o csv >listed
            echo "listed $?"
            rm "$ATE_DATA/filler"
            "$ATE" call bank transfer from=alice to=bob amount=1.00 >/dev/null
            echo "again $?"
        ]])
        if done.code == 77 then
            pending('needs the right to mount a tmpfs')
            return
        end
        assert.equal('full 7\nverify 0\nlisted 0\nagain 0\n', done.out,
            done.err)
        assert.matches('"advice":"make room and try again.*"code":"FULL",.*'
            .. '"calls: line %d+: .*space', done.err)
        local _, answered = run.read(run.dir .. '/answers'):gsub('\n', '')
        local _, listed = run.read(run.dir .. '/listed'):gsub('\n', '')
        assert.is_true(answered > 100)
        assert.is_true(listed - 1 >= answered)
    end)
end)

describe('an older copy of a log', function()
    it('in its place is refused by who made the newer one durable', function()
        run.bank()
        transfer('1')
        local folder = run.path()
        local head = folder .. '/1.head'
        local older = run.read(head)
        transfer('2')
        local newer = run.read(head)
        run.write(head, older)
        local words = 'the log ends at size %d+, and this node had made %d+ '
            .. 'transactions durable'
        run.fails(8, words, 'call', 'bank', 'transfer', 'from=alice', 'to=bob',
            'amount=3')
        run.fails(8, words, 'chain', 'verify', 'bank')
        run.fails(8, words, 'chain', 'info', 'bank')
        assert.equal(older, run.read(head))
        -- By itself it is a good log: a stranger cannot know.
        run.ok('chain', 'verify', '--path', folder)
        run.write(head, newer)
        assert.same({alice = '-3.00', bob = '3.00'}, run.balance())
        -- Who says so goes on from there.
        run.write(head, older)
        assert(os.remove(folder .. '/verified'))
        assert.same({alice = '-1.00', bob = '1.00'}, run.balance())
        assert.equal(0, transfer('3').code)
    end)
end)
