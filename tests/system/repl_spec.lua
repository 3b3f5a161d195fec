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
        assert.equal(1, typed({'f('}).code)
        assert.equal(2, typed({'\\usee bank'}).code)
        assert.equal(3, typed({'1'}, 'nosuch').code)
    end)
end)

describe('the REPL on a terminal', function()
    it('completes, remembers, and survives Ctrl-C', function()
        run.bank()
        local done = run.shell([[
            : >log
            # A person types when there is a prompt.
            see() {
                n=0
                until grep -q "$1" log; do
                    n=$((n + 1)); [ $n -lt 500 ] || return; sleep 0.01
                done
            }
            {
                see 'bank> '; printf 'bank.vi\t.bala\t()\n'
                see 'account  amount'; printf '1 +\00341 + 1\n'
                see '^42'; printf '41 + 2\n'
                see '^43'; printf '41 + 1\n\004'
            } | script -qefc '"$ATE" repl bank' log
        ]])
        assert.equal(0, done.code, done.err)
        assert.matches('bank> ', done.out)
        assert.matches('\27%[1maccount  amount', done.out)
        assert.matches('\n42', done.out)
        assert.equal('bank.view.balance()\n41 + 2\n41 + 1\n',
            run.read(run.dir .. '/state/ate/history'))
    end)
end)
            stat -c %a "$XDG_STATE_HOME/ate/history"
        assert.matches('600\n$', done.out)
