local run = require('helper')

before_each(run.begin)
after_each(run.finish)

local function typed(lines, words)
    run.write(run.dir .. '/typed', table.concat(lines, '\n') .. '\n')
    return run.shell('"$ATE" repl ' .. (words or '') .. ' <typed')
end

describe('the REPL through a pipe', function()
    it('calls, reads and prints without prompts', function()
        run.bank()
        local done = typed({
            '1 + 1',
            'bank',
            'bank.transfer{from = "alice",',
            '    to = "bob", amount = "1.00"}',
            'bank.view.balance()',
            'bank.view.balance{account = "bob"}[1].amount',
            'bank.get.account("alice").owner',
            '#bank.list.transfer()',
        })
        assert.equal(0, done.code, done.err)
        assert.equal('', done.err)
        assert.matches('^2\nchain bank\ntransfer %S+  index %d+  root %x+…  '
            .. 'durable %d+%.%d ms\n'
            .. 'account  amount\nalice     %-1%.00\nbob        1%.00\n'
            .. '1%.00\nme\n1\n$', done.out)
    end)

    it('has commands', function()
        run.bank()
        local done = typed({'\\chains', '\\types', '\\views', '\\methods',
            '\\doc too_deep', '\\x json', 'view.balance()', '\\x lua',
            '{a = 1}', '\\x yaml', 'list.account()[2].owner',
            '{a = {1, "1"}, b = {}}', '\\x table', '\\t', '1', '\\as bob',
            'bank.account.get{name = "bob"}', '\\q', 'never()'}, 'bank')
        assert.equal(0, done.code, done.err)
        assert.matches('^bank\naccount   What', done.out)
        assert.matches('\nrule too_deep: ', done.out)
        assert.matches('\n%[%]\n{a = 1}\nbob\na:\n  %- 1\n  %- "1"\nb: {}\n1\n',
            done.out)
        assert.matches('timing on\n%d+%.%d ms', done.err)
    end)

    it('ends with the code of the first line that failed', function()
        run.bank()
        local done = typed({
            'bank.transfer{from = "alice", to = "bob", amount = "500"}',
            'nosuch.thing', 'print("still here")'})
        assert.equal(6, done.code)
        assert.equal('still here\n', done.out)
        assert.matches('^ate: bank transfer: too_deep: alice would hold '
            .. '%-500%.00\nate: attempt to index global \'nosuch\'', done.err)
        done = typed({'error(setmetatable({}, {__index = error, '
            .. '__tostring = error}))', 'error({code = 1})', '1'})
        assert.equal('1\n', done.out)
        assert.equal(1, done.code)
        assert.matches('^ate: an error that is a table, and that can not be '
            .. 'shown\nate: table: 0x%x+\n$', done.err)
        assert.equal(1, typed({'f('}).code)
        done = typed({'\\usee bank', 'error("mine")'})
        assert.equal(2, done.code)
        assert.equal('ate: no command \\usee; did you mean \\use?; \\help '
            .. 'lists them\nate: mine\n', done.err)
        assert.equal(3, typed({'1'}, 'nosuch').code)
    end)

    it('uses the only chain that there is', function()
        run.bank()
        assert.equal('account  amount\n', typed({'view.balance()'}).out)
        run.ok('chain', 'create', 'other', '--schema', run.dir .. '/bank.lua')
        local done = typed({'view.balance()'})
        assert.equal(1, done.code)
        assert.matches("global 'view'", done.err)
        assert.equal('account  amount\n',
            typed({'\\use bank', 'view.balance()'}).out)
    end)

    it('ends when it is told to, waiting as well', function()
        run.bank()
        local done = run.shell(run.PRELUDE .. [[
            mkfifo typed
            "$ATE" repl bank <typed >said &
            repl=$!
            children=$repl
            exec 3>typed
            echo '6 * 7' >&3
            await grep -q 42 said
            kill -TERM $repl
            wait $repl
        ]])
        assert.equal(130, done.code, done.err)
        run.ok('call', 'bank', 'transfer', 'from=alice', 'to=bob', 'amount=1')
    end)
end)

describe('values before', function()
    it('have names', function()
        run.bank()
        local done = typed({'1', '2', '_', '_2', '"x"', '_1', '_9'})
        assert.equal('1\n2\n2\n2\nx\nx\nnil\n', done.out)
    end)
end)

describe('\\explain', function()
    it('tells what a call would write, and writes nothing', function()
        run.bank()
        local before = run.json('chain', 'info', 'bank').size
        local done = typed({
            '\\explain transfer{from = "alice",', 'to = "bob", amount = "1"}',
            '_[1].events[1].fields.amount',
            '\\explain account.put{name = "eve", owner = "me"}',
            '\\explain view.balance()', '\\explain print(1)',
            'transfer{from = "alice", to = "bob", amount = "1"}',
            'view.balance{account = "bob"}[1].amount',
        }, 'bank')
        assert.equal(0, done.code, done.err)
        assert.matches('^transfer would be transaction ' .. before
            .. ', by me\n  fact transfer amount=1%.00 from=alice to=bob\n'
            .. 'rules   not_owner, too_deep\ngas     %d+\n1%.00\n'
            .. 'account%.put would be transaction %d+, by me\n'
            .. '  new account name=eve owner=me\nrules   none\n', done.out)
        -- A heartbeat may come before it.
        local index = done.out:match('\ntransfer %S+  index (%d+) .*\n1%.00\n$')
        assert.is_true(tonumber(index) - before <= 1, done.out)
    end)

    it('says what would be refused, and is not run again', function()
        run.bank()
        local done = typed({'\\explain transfer{from = "alice", '
            .. 'to = "bob", amount = "500"}', '\\explain', '\\explain \\q'},
            'bank')
        assert.equal(6, done.code)
        assert.matches('too_deep: alice would hold %-500%.00\n', done.err)
        assert.matches('explain needs a line', done.err)
        assert.matches('takes Lua, not another command', done.err)
        local again = typed({'\\explain transfer{from = "alice", '
            .. 'to = "bob", amount = "1"}', '\\watch 1'}, 'bank')
        assert.matches('watch: nothing has been typed yet', again.err)
        assert.equal(0, #run.json('list', 'bank', 'transfer'))
    end)
end)

describe('a transaction of several calls', function()
    it('is a method, and that is said', function()
        run.bank()
        for _, command in ipairs({'begin', 'commit', 'rollback'}) do
            local done = typed({'\\' .. command}, 'bank')
            assert.equal(2, done.code)
            assert.matches('is what one call of a method writes.*ctx:call',
                done.err)
        end
    end)
end)

describe('\\asof', function()
    local function bank()
        run.bank()
        run.write(run.dir .. '/more.lua', [[
local ate = require('ate')
local t = ate.types
local more = ate.schema('more', {doc = 'More.', version = 1})
more:object('item', {
    doc = 'An item.', key = {'name'},
    header = {name = t.name({max = 40}), count = t.integer()},
})
return more
]])
        local done = run.shell([[
            set -e
            "$ATE" chain create more --schema more.lua >/dev/null
            put() { "$ATE" call more item.$1 name=a $2 --json |
                sed -n 's/.*"index":\([0-9]*\).*/\1/p'; }
            put put count=1
            put put count=2
            put delete
        ]])
        assert.equal(0, done.code, done.err)
        local first, second, third = done.out:match('(%d+)\n(%d+)\n(%d+)')
        return tonumber(first), tonumber(second), tonumber(third)
    end

    it('shows objects as they were', function()
        local first, second, third = bank()
        local done = typed({
            '\\asof ' .. first, 'get.item("a")', '\\asof ' .. first + 1,
            'get.item("a").count', '#history.item("a")',
            '\\asof ' .. second .. '.0', 'get.item("a").count',
            '#history.item("a")', '#tail(100)',
            '\\asof ' .. third + 1, 'get.item("a")',
            '\\asof 2000-01-01', 'get.item("a")',
            '\\asof', '\\asof 2999', '\\asof 2999-01',
            '\\asof now', '\\asof',
        }, 'more')
        assert.equal(('1\n1\n2\n2\n%d\n2000-01-01\nnow\n'):format(second + 1),
            done.out)
        assert.matches('item a was not there as of ' .. first, done.err)
        assert.matches('item a was not there as of ' .. third + 1, done.err)
        assert.matches('item a was not there as of 2000%-01%-01', done.err)
    end)

    it('says what is known as it is now alone', function()
        local first = bank()
        local done = typed({'\\asof ' .. first, 'list.item()',
            'item.put{name = "b", count = 1}', 'item.get{name = "a"}',
            '\\asof nonsense', '\\asof 1;2', '\\asof now', '#list.item()'},
            'more')
        assert.equal('0\n', done.out)
        assert.matches('list is known as it is now alone', done.err)
        assert.matches('item%.put is known as it is now alone', done.err)
        assert.matches('item%.get is known as it is now alone', done.err)
        assert.matches('not "nonsense"', done.err)
        run.bank_schema()
    end)
end)

describe('\\i', function()
    it('runs the lines of a file', function()
        run.bank()
        run.write(run.dir .. '/lines', 'x = 1 +\n 1\nx\n\\chains\n')
        run.write(run.dir .. '/open', 'f(\n')
        run.write(run.dir .. '/again', '\\i again\n')
        local done = typed({'\\i lines', 'x * 2', '\\i nosuch', '\\i open',
            '\\i', '\\i again', '"still"'})
        assert.equal('2\nbank\n4\nstill\n', done.out)
        assert.matches('nosuch: No such file', done.err)
        assert.matches('open ends in the middle of: f%(', done.err)
        assert.matches('needs the name of a file', done.err)
        assert.matches('more than 8 deep', done.err)
        assert.equal(3, done.code)
    end)
end)

describe('\\watch', function()
    it('runs the last line again when something came', function()
        run.bank()
        local done = run.shell([[
            mkfifo in
            env --default-signal=INT "$ATE" serve >told 2>&1 &
            daemon=$!
            until grep -q ready told; do :; done
            env --default-signal=INT "$ATE" repl bank <in >out 2>err &
            repl=$!
            exec 4>in
            printf 'view.balance{account = "bob"}[1]\n\\watch\n' >&4
            seen() {
                n=0
                until [ "$(grep -c "$1" out)" -ge "$2" ]; do
                    n=$((n + 1))
                    [ $n -lt 20000 ] || { echo "no $1"; cat out err; exit 9; }
                done
            }
            seen nil 2
            "$ATE" call bank transfer from=alice to=bob amount=1 >/dev/null
            seen 'amount *1.00' 1
            "$ATE" call bank transfer from=alice to=bob amount=2 >/dev/null
            seen 'amount *3.00' 1
            kill -INT $repl
            echo '"still here"' >&4
            exec 4>&-
            wait $repl
            code=$?
            kill $daemon
            wait $daemon
            tail -n 1 out
            cat err
            exit $code
        ]])
        assert.equal('still here\n', done.out)
        assert.equal(0, done.code, done.err)
    end)

    it('runs it every so often, or says what it needs', function()
        run.bank()
        local done = typed({'\\watch', '1', '\\watch 0', '\\watch x'})
        assert.equal('1\n', done.out)
        assert.matches('watch: nothing has been typed yet', done.err)
        assert.matches('from 0%.1 to 86400, not "0"', done.err)
    end)
end)

-- A person types when there is a prompt.
local SEE = run.PRELUDE .. [[
    : >log
    see() {
        await grep -q -e "$1" log
    }
]]

describe('the REPL on a terminal', function()
    it('stops what runs by Ctrl-C, and goes on', function()
        run.bank()
        local done = run.shell(SEE .. [[
            {
                see 'bank> '; printf 'print("begins") while true do end\n'
                see '^begins'; printf '\003'
                see 'interrupted'; printf '41 + 1\n'
                see '^42'; printf 'print("again") while true do end\n'
                see '^again'; printf '\003'
                see 'interrupted.*interrupted\|bank> $'; printf '42 + 1\n'
                see '^43'; printf '\004'
            } | script -qefc 'exec "$ATE" repl bank' log
        ]])
        assert.equal(0, done.code, done.err)
        assert.matches('interrupted.*\n42.*interrupted.*\n43', done.out)
    end)

    it('completes through the socket, and fields of Lua', function()
        run.bank()
        local done = run.shell([[
            "$ATE" serve >told 2>&1 &
            daemon=$!
            until grep -q ready told; do :; done
        ]] .. SEE .. [[
            {
                see 'bank> '; printf 'bank.view.bala\t()\n'
                see 'account  amount'; printf 'mine = {alpha = 41}\n'
                printf 'mi\t.al\t + 1\n'
                see '^42'; printf '#string.rep\t("x", 3) + 40\n'
                see '^43'; printf '\004'
            } | script -qefc 'exec "$ATE" repl bank' log
            kill $daemon
            wait $daemon
        ]])
        assert.matches('\n42\r?\n', done.out)
        assert.matches('\n43\r?\n', done.out)
    end)

    it('shows long output in a pager, \\history, \\e', function()
        run.bank()
        run.write(run.dir .. '/pager', '#!/bin/sh\nwc -l | sed "s/^/paged /"\n')
        run.write(run.dir .. '/editor', '#!/bin/sh\n'
            .. 'stat -c "mode %a" "$1"\nsed -i s/1/41/ "$1"\n')
        local done = run.shell('chmod +x pager editor\n'
            .. 'export PAGER="$PWD/pager" EDITOR="$PWD/editor"\n' .. SEE .. [[
            {
                see 'bank> '; printf '1 + 1\n\\e\n'
                see '^42'
                printf 'l = ate.list({}) for i = 1, 100 do l[i] = i end\n'
                printf 'l\n'
                see 'paged 100'; printf '\\history 2\n'
                see '^l = '; printf '\004'
            } | script -qefc 'stty rows 24 cols 80; exec "$ATE" repl bank' log
            ls state/ate
        ]])
        assert.equal(0, done.code, done.err)
        assert.matches('mode 600', done.out)
        assert.matches('paged 100', done.out)
        assert.matches('history\n$', done.out)
        assert.is_nil(done.out:find('edit.lua', 1, true))
        local past = run.read(run.dir .. '/state/ate/history')
        assert.matches('41 %+ 1\n', past)
    end)

    it('says what the folder is for, and of production in red', function()
        run.bank()
        run.write(run.data .. '/ate.conf.lua', "return {stage = 'prod-2'}\n")
        local long = 'long/' .. ('é'):rep(40)
        run.ok('chain', 'create', long, '--schema', run.dir .. '/bank.lua')
        local done = run.shell(SEE .. [[
            {
                see '2\]>'; printf '\\use ]] .. long .. [[\n'
                see 'é.*2\]>'; printf '40 +\n'
                see '\.\.>'; printf '2\n'
                see '^42'; printf '\004'
            } | LC_ALL=C.UTF-8 TERM=xterm script -qefc \
                'stty cols 200; exec "$ATE" repl bank' log
        ]])
        assert.equal(0, done.code, done.err)
        assert.matches('LuaJIT 2%.%S+ %(Lua 5%.1%)', done.out)
        assert.matches('\27%[31mbank%[prod%-2%]>\27%[0m ', done.out)
        assert.matches('\27%[31mlong/[^%[]+%[prod%-2%]>\27%[0m ', done.out)
        assert.matches('\27%[31m' .. (' '):rep(51) .. '%.%.>\27%[0m ', done.out)
        run.write(run.dir .. '/test.lua', "return {stage = 'test'}\n")
        done = run.shell(SEE .. [[
            { see '>'; printf '\004'; } | TERM=xterm script -qefc \
                'exec "$ATE" repl bank --config test.lua' log
        ]])
        assert.matches('\nbank%[test%]> ', done.out)
    end)

    it('goes without where the configuration is wrong', function()
        run.bank()
        run.write(run.data .. '/ate.conf.lua', "return {stage = 'a b'}\n")
        local done = typed({'41 + 1'}, 'bank')
        assert.equal('42\n', done.out)
        assert.matches('no stage in the prompt: .*ate.conf.lua:1:9: stage: is '
            .. 'a word', done.err)
        assert.equal(0, done.code)
        assert.equal(3, typed({'1'}, '--config nosuch').code)
        assert.equal(2, typed({'1'}, '--config data/ate.conf.lua').code)
    end)

    it('completes, remembers, and survives Ctrl-C', function()
        run.bank()
        local done = run.shell(SEE .. [[
            {
                see 'bank> '; printf 'bank.vi\t.bala\t()\n'
                see 'account  amount'; printf '1 +\00341 + 1\n'
                see '^42'; printf '41 + 2\n'
                see '^43'; printf '41 + 1\n\004'
            } | script -qefc 'exec "$ATE" repl bank' log
            stat -c %a "$XDG_STATE_HOME/ate/history"
        ]])
        assert.equal(0, done.code, done.err)
        assert.matches('bank> ', done.out)
        assert.matches('\27%[1maccount  amount', done.out)
        assert.matches('\n42', done.out)
        assert.matches('600\n$', done.out)
        assert.equal('bank.view.balance()\n41 + 2\n41 + 1\n',
            run.read(run.dir .. '/state/ate/history'))
    end)

    it('shows JSON on lines, and rows whole', function()
        run.bank()
        run.ok('call', 'bank', 'transfer', 'from=alice', 'to=bob', 'amount=1')
        local done = run.shell(SEE .. [[
            {
                see 'bank> '; printf '\\x json\nview.balance{account = "bob"}\n'
                see ']'; printf '\\x table\n\\x\n'
                see 'rows as lines'; printf 'view.balance()\n'
                see '-- 2 --'; printf '41 + 1\nZoë = 41 + 2\n"Z\303\266e"\n'
                see '^Zöe'; printf '\004'
            } | LC_ALL=C.UTF-8 script -qefc 'exec "$ATE" repl' log
        ]])
        assert.equal(0, done.code, done.err)
        local out = done.out:gsub('\27%[%d*m', ''):gsub('\r', '')
        assert.matches('\n%[\n  {\n    "account": "bob",\n', out)
        assert.matches('\n%-%- 1 %-%-\naccount  alice\namount   %-1%.00\n'
            .. '%-%- 2 %-%-\naccount  bob\n', out)
    end)

    it('says which chains there are', function()
        run.bank()
        run.ok('chain', 'create', 'other', '--schema', run.dir .. '/bank.lua')
        local done = run.shell(SEE .. [[
            {
                see 'ate> '; printf '\\us\tbank\n'
                see 'bank> '; printf '\004'
            } | script -qefc 'exec "$ATE" repl' log
        ]])
        assert.matches('\\use NAME uses a chain: bank, other\r?\n', done.out)
        assert.matches('bank> ', done.out)
    end)

    it('ends when it is told to, and lets go of the folder', function()
        run.bank()
        local done = run.shell(SEE .. [[
            {
                see 'bank> '; kill -TERM $(cat pid)
                await_end "$(cat pid)"
                "$ATE" call bank transfer from=alice to=bob amount=1 >&2
                echo "call $?" >&2
            } | script -qefc 'exec sh -c "echo \$\$ >pid; exec \"\$ATE\" repl"' log
            echo "repl $?"
        ]])
        assert.matches('repl 130\n$', done.out)
        assert.matches('^transfer.*\ncall 0\n$', done.err)
    end)
end)

--- What lines print, both streams.
local function printed(lines, ...)
    local words = {...}
    run.write(run.dir .. '/in', table.concat(lines, '\n') .. '\n')
    return run.shell('"$ATE" repl ' .. (words[1] or 'bank') .. ' <in 2>&1')
end

describe('a name in the REPL', function()
    it('alone says what stands behind it', function()
        run.bank()
        local done = printed({'view', 'get', 'bank.list', 'bank.history', 'sum',
            'bank', 'bank.account', 'transfer'})
        assert.equal(0, done.code, done.out)
        assert.equal([[
views of bank for bank.view: balance
types of bank for bank.get: account, transfer
types of bank for bank.list: account, transfer
types of bank for bank.history: account, transfer
views of bank for bank.sum: balance
chain bank
methods of bank: account.create, account.get, account.history, account.list,]]
            .. [[ account.put
method transfer of bank; \doc transfer says what it takes
methods of bank: transfer.append, transfer.get, transfer.list
]], done.out)
        assert.equal('"chain bank"\n', printed({'\\x json', 'bank'}).out)
    end)

    it('that is no method is an error, with a hint', function()
        run.bank()
        local function fails(line, pattern)
            local done = printed({line})
            assert(done.code ~= 0, line)
            assert.matches(pattern, done.out)
        end
        fails('bank.nope', '^ate: bank: no method "nope"')
        fails('bank[1]', '^ate: bank: no method "1"')
        fails('view[1]', '^ate: bank: no view "1"')
        fails('bank.account.putt{}', 'did you mean "account.put"%?\n$')
        fails('nope{}', "global 'nope' %(a nil value%); bank has no such "
            .. 'method: \\methods lists them\n$')
        fails('tranfser{}', 'did you mean "transfer"%?\n$')
        fails('acount.put{}', 'did you mean "account"%?\n$')
        run.ok('chain', 'create', 'books', '--schema', 'ate:ledger')
        run.write(run.dir .. '/in', 'transfer{}\n')
        assert.matches('no chain in use: \\use NAME',
            run.shell('"$ATE" repl <in 2>&1').out)
    end)

    it('of a command needs no backslash', function()
        run.bank()
        assert.matches('\\methods', printed({'help'}).out)
        for _, word in ipairs({'exit', 'quit', 'quit()', ' exit ;'}) do
            local done = printed({word, '1 + 1'})
            assert.equal('', done.out)
            assert.equal(0, done.code)
        end
        assert.equal('7\n', printed({'quit = 7', 'quit'}).out)
    end)

    it('is called as scripts call it, too', function()
        run.bank()
        local done = printed({
            'bank:call("transfer", {from = "alice", to = "bob", amount = "1"})'
                .. '.result ~= nil',
            'bank:transfer{from = "alice", to = "bob", amount = "1"}.gas > 0',
            'bank.account:put{name = "carol", owner = "me"}.result ~= nil',
            'bank:view("balance", {account = "bob"})[1].amount',
            'bank:get("account", "bob").owner',
            '#bank:list("account", {limit = 2})',
            '#bank:history("account", "bob")',
            'bank:sum("balance", "amount", {account = "bob"})',
            '#bank:tail{from = 1, limit = 2}', '#bank:tail{limit = 3}',
            '#bank:tail(2)', 'bank:info().name'})
        assert.equal(0, done.code, done.out)
        assert.equal('true\ntrue\ntrue\n2.00\nbob\n2\n1\n2.00\n2\n3\n2\nbank\n',
            done.out)
    end)
end)

describe('a method that is called as a read', function()
    it('is told from it', function()
        run.ok('chain', 'create', 'bank', '--schema', 'ate:key_value')
        local done = printed({
            'bank:call("set", {key = "a", value = "1"}).gas > 0',
            'bank:call("get", {key = "a"})'})
        assert.equal(0, done.code, done.out)
        local get = "ate: get is the read here; the method is "
            .. "bank:call%('get', {...}%)\n$"
        assert.matches(get, printed({'get{key = "a"}'}).out)
        assert.matches(get, printed({'bank:get{key = "a"}'}).out)
        assert.matches('ate: view takes the name of a view: '
            .. 'bank.view.NAME%(...%), not a table\n$', printed({'view{}'}).out)
        assert.matches('call takes the name of a method', printed({
            'bank:call{}'}).out)
    end)
end)

describe('what is no call', function()
    it('says how it is called', function()
        run.bank()
        assert.equal('view.balance{COLUMN = VALUE} reads it; \\doc balance '
            .. 'says what it has\n', printed({'view.balance'}).out)
        assert.equal("get.account('KEY') reads it; \\doc account says what "
            .. 'it has\n', printed({'bank.get.account'}).out)
        assert.equal(printed({'view.balance{account = "bob"}'}).out,
            printed({'bank.view:balance{account = "bob"}'}).out)
    end)

    it('is no SQL', function()
        run.bank()
        local said = '^ate: [^;]+; this is Lua, no SQL: view%.NAME{COLUMN = '
        assert.matches(said, printed({'SELECT * FROM balance'}).out)
        assert.matches(said, printed({'insert into x values (1)'}).out)
        assert.equal("ate: '=' expected near 'y'\n", printed({'x y'}).out)
        assert.equal('3\n', printed({'select(2, 2, 3)'}).out)
    end)
end)

describe('what only scripts have', function()
    it('is told to be theirs, or goes as well', function()
        run.bank()
        assert.equal('bank\n', printed({'bank:read("info").name'}).out)
        assert.equal('2\n', printed({
            '#bank:read("list", {type = "account"})'}).out)
        for _, name in ipairs({'each', 'follow'}) do
            assert.matches('ate: ' .. name .. ' is for scripts, ate run: here',
                printed({'bank:' .. name .. '("view", "balance")'}).out)
        end
    end)
end)

describe('what the REPL shows', function()
    it('is named as the command line names it', function()
        run.bank()
        local shown = printed({'tail()'}).out
        assert.matches('account.put  %+ account', shown)
        -- A heartbeat may have come behind it.
        assert.equal(shown, run.ok('chain', 'tail', 'bank'):sub(1, #shown))
    end)

    it('is not as of what is still to come', function()
        run.bank()
        local done = printed({'\\asof 999', '\\asof 99.0', '\\asof 4', '\\asof'})
        assert.matches('^ate: \\asof 999: the log of bank has %d transactions\n'
            .. 'ate: \\asof 99.0: the log of bank has %d transactions\n4\n$',
            done.out)
        assert.equal(2, done.code)
        run.ok('chain', 'create', 'books', '--schema', 'ate:ledger')
        done = printed({'\\asof 3', 'books.get.account("x")', 'books.tail()',
            'books.history.account("x")'})
        assert.matches('^ate: \\asof 3: the log of books has %d transactions?\n'
            .. 'ate: \\asof 3: .*\nate: \\asof 3: ', done.out)
    end)

    it('is no editor off a terminal', function()
        run.bank()
        local done = printed({'1', '\\edit', '\\e'})
        assert.equal('1\nate: \\e: an editor needs a terminal\n'
            .. 'ate: \\e: an editor needs a terminal\n', done.out)
    end)

    it('offers no method that can not be called', function()
        run.bank()
        assert.not_matches('watch', printed({'\\methods'}).out)
        run.fails(3, 'no method "account.watch"', 'call', 'bank',
            'account.watch')
    end)
end)
