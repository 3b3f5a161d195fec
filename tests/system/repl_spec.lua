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
            '{a = 1}', '\\x table', '\\t', '1', '\\as bob',
            'bank.account.get{name = "bob"}', '\\q', 'never()'}, 'bank')
        assert.equal(0, done.code, done.err)
        assert.matches('^bank\naccount   What', done.out)
        assert.matches('\nrule too_deep: ', done.out)
        assert.matches('\n%[%]\n{a = 1}\n1\n', done.out)
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
        assert.equal(2, typed({'\\usee bank'}).code)
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
        local done = run.shell([[
            mkfifo typed
            "$ATE" repl bank <typed >said &
            repl=$!
            exec 3>typed
            echo '6 * 7' >&3
            until grep -q 42 said; do sleep 0.01; done
            kill -TERM $repl
            wait $repl
        ]])
        assert.equal(130, done.code, done.err)
        run.ok('call', 'bank', 'transfer', 'from=alice', 'to=bob', 'amount=1')
    end)
end)

-- A person types when there is a prompt.
local SEE = [[
    : >log
    see() {
        n=0
        until grep -q -e "$1" log; do
            n=$((n + 1)); [ $n -lt 1000 ] || return; sleep 0.01
        done
    }
]]

describe('the REPL on a terminal', function()
    it('completes, remembers, and survives Ctrl-C', function()
        run.bank()
        local done = run.shell(SEE .. [[
            {
                see 'bank> '; printf 'bank.vi\t.bala\t()\n'
                see 'account  amount'; printf '1 +\00341 + 1\n'
                see '^42'; printf '41 + 2\n'
                see '^43'; printf '41 + 1\n\004'
            } | script -qefc '"$ATE" repl bank' log
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
            } | LC_ALL=C.UTF-8 script -qefc '"$ATE" repl' log
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
            } | script -qefc '"$ATE" repl' log
        ]])
        assert.matches('\\use NAME uses a chain: bank, other\r?\n', done.out)
        assert.matches('bank> ', done.out)
    end)

    it('ends when it is told to, and lets go of the folder', function()
        run.bank()
        local done = run.shell(SEE .. [[
            {
                see 'bank> '; kill -TERM $(cat pid)
                n=0
                while kill -0 $(cat pid) 2>/dev/null && [ $n -lt 500 ]; do
                    n=$((n + 1)); sleep 0.01
                done
                "$ATE" call bank transfer from=alice to=bob amount=1 >&2
                echo "call $?" >&2
            } | script -qefc 'sh -c "echo \$\$ >pid; exec \"\$ATE\" repl"' log
            echo "repl $?"
        ]])
        assert.matches('repl 130\n$', done.out)
        assert.matches('^transfer.*\ncall 0\n$', done.err)
    end)
end)
