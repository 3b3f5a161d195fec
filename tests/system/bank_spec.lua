local run = require('helper')

before_each(run.begin)
after_each(run.finish)

describe('a bank', function()
    it('is made, used, refused and checked', function()
        run.bank_schema()
        local out = run.ok('chain', 'create', 'bank', '--schema',
            run.dir .. '/bank.lua', '--accept',
            'accept-all,serializer,structured-logic')
        assert.matches('^bank  %x+…  schema bank 1  bodies open  '
            .. 'key me %(new%)\n$', out)
        run.ok('key', 'new', 'bob')
        out = run.ok('call', 'bank', 'account.put', 'name=alice', 'owner=me')
        assert.matches('^account%.put', out)
        run.ok('call', 'bank', 'account.put', 'name=bob', 'owner=bob')
        out = run.ok('call', 'bank', 'transfer', 'from=alice', 'to=bob',
            'amount=12.50')
        assert.matches('^transfer %d+%.%d+  index %d+  root %x+…  '
            .. 'durable %d+%.%d ms\n$', out)
        assert.equal('account  amount\nalice    -12.50\nbob       12.50\n',
            run.ok('view', 'bank', 'balance'))
        run.fails(6, '^ate: bank transfer: too_deep: alice would hold '
            .. '%-512%.50\n', 'call', 'bank', 'transfer', 'from=alice',
            'to=bob', 'amount=500')
        run.fails(6, '^ate: bank transfer: not_owner: alice is not yours\n',
            'call', 'bank', 'transfer', 'from=alice', 'to=bob', 'amount=1',
            '--as', 'bob')
        assert.same({alice = '-12.50', bob = '12.50'}, run.balance())
        local info = run.json('chain', 'info', 'bank')
        local told = run.ok('chain', 'verify', 'bank')
        assert.matches('^name +bank\nid +' .. info.id .. '\nschema +bank 1\n'
            .. 'root +' .. info.root .. '\n%d+ transactions, %d+ signatures, '
            .. '%d+ verdicts: all as recorded; signed by the order key up to '
            .. 'transaction %d+, not the %d+ behind it\n$', told)
        local report = run.json('chain', 'verify', 'bank')
        assert.equal(info.id, report.id)
        assert.equal('bank', report.name)
        assert.equal(report.transactions, report.ordered + report.behind)
    end)

    it('says everything as JSON', function()
        run.bank()
        local write = run.json('call', 'bank', 'transfer', 'from=alice',
            'to=bob', 'amount=1')
        assert.equal('transfer', write.method)
        assert.matches('^%d+%.%d+$', write.result)
        assert.equal(64, #write.root)
        assert.equal(64, #write.tx)
        assert.is_number(write.index)
        assert.is_true(write.gas > 0)
        assert.equal('bank', run.json('chain', 'ls')[1].name)
        assert.equal(write.index + 1, run.json('chain', 'ls', '-l')[1].size)
        local info = run.json('chain', 'info', 'bank')
        assert.equal('bank', info.schema)
        assert.equal(write.index + 1, info.size)
        assert.equal('alice', run.json('get', 'bank', 'account', 'alice').name)
        assert.equal(2, #run.json('list', 'bank', 'account'))
        assert.equal(1, #run.json('history', 'bank', 'account', 'alice'))
        assert.equal(info.size,
            run.json('chain', 'verify', 'bank').transactions)
        local names = {}
        for i, key in ipairs(run.json('key', 'ls')) do
            names[i] = key.name
        end
        table.sort(names)
        assert.same({'bob', 'me'}, names)
        assert.equal(64, #run.json('key', 'show').id)
        local done = run.ate('call', 'bank', 'transfer', 'from=alice',
            'to=bob', 'amount=500', '--json')
        assert.equal(6, done.code)
        assert.equal('', done.out)
        local err = require('ate').json.decode(done.err).error
        assert.equal('REFUSED', err.code)
        assert.equal('too_deep', err.rule:match('[^.]*$'))
        assert.equal(6, err.exit)
    end)

    it('reads in each format and in both directions', function()
        run.bank()
        run.ok('call', 'bank', 'transfer', '--args',
            '{"from":"alice","to":"bob","amount":"1.00"}')
        run.ok('call', 'bank', 'transfer', 'from=alice', 'to=bob', 'amount=2')
        assert.equal('account,amount\nalice,-3.00\nbob,3.00\n',
            run.ok('view', 'bank', 'balance', '-o', 'csv'))
        assert.equal('account,amount\nbob,3.00\n',
            run.ok('view', 'bank', 'balance', 'account=bob', '-o', 'csv'))
        assert.matches('^id,.*\n[%d.]+,2%.00,', run.ok('list', 'bank',
            'transfer', '--last', '-n', '1', '-o', 'csv'))
        assert.matches('"amount":"1.00"', run.ok('list', 'bank', 'transfer',
            '--limit', '1', '-o', 'json'))
        assert.matches('^name +alice\nowner +me\n',
            run.ok('get', 'bank', 'account', 'alice'))
        assert.equal('alice',
            run.json('call', 'bank', 'account.get', 'name=alice').name)
    end)

    it('reads by default methods, too', function()
        run.bank()
        assert.equal('name   owner\nalice  me\nbob    bob\n',
            run.ok('call', 'bank', 'account.list'))
        assert.equal('[]\n', run.ok('call', 'bank', 'transfer.list',
            '--json'))
        assert.equal('alice', run.json('call', 'bank', 'account.history',
            'name=alice')[1].name)
    end)

    it('shows its end, and follows', function()
        run.bank()
        run.ok('call', 'bank', 'transfer', 'from=alice', 'to=bob', 'amount=1')
        local out = run.ok('chain', 'tail', 'bank', '-n', '1')
        assert.matches('^%d+  %S+  me  transfer  %+ transfer %S+ '
            .. 'amount=1%.00 from=alice to=bob\n$', out)
        local done = run.shell(run.PRELUDE .. [[
            "$ATE" chain tail bank -f --from 0 --json >followed &
            tail=$!
            children=$tail
            await grep -q 'amount":"1.00"' followed
            "$ATE" call bank transfer from=alice to=bob amount=2.00 || exit 8
            await grep -q 'amount":"2.00"' followed
            kill -TERM $tail
            wait $tail
        ]])
        assert.equal(130, done.code, done.err)
    end)

    it('says chain, method and object of what was not done', function()
        run.bank()
        run.fails(4, '^ate: bank account%.put: account alice: is not changed, '
            .. 'as its type turns \'patch\' off %(bank%.lua:%d+%)\n', 'call',
            'bank', 'account.put', 'name=alice', 'owner=bob')
        run.fails(5, '^ate: bank account%.create: account alice exists already',
            'call', 'bank', 'account.create', 'name=alice', 'owner=me')
        run.fails(2, '^ate: bank transfer: amount: %-1%.00 is below 0%.01\n',
            'call', 'bank', 'transfer', 'from=alice', 'to=bob', 'amount=-1')
        run.fails(2, '^ate: bank transfer: arguments: the number 1%.5 is not '
            .. 'whole; an amount with decimals is written as text, "1%.5"\n',
            'call', 'bank', 'transfer', '--args',
            '{"from":"alice","to":"bob","amount":1.5}')
    end)

    it('keeps nothing of a refused call', function()
        run.bank()
        local before = run.json('chain', 'info', 'bank')
        run.fails(6, 'too_deep', 'call', 'bank', 'transfer', 'from=alice',
            'to=bob', 'amount=500')
        local after = run.json('chain', 'info', 'bank')
        assert.equal(before.size, after.size)
        assert.equal(before.root, after.root)
    end)
end)

describe('a stream of calls', function()
    local function lines(count, amount)
        local list = {}
        for i = 1, count do
            list[i] = ('{"from":"alice","to":"bob","amount":"%s"}\n'):format(
                amount)
        end
        return table.concat(list)
    end

    it('is taken whole', function()
        run.bank()
        run.write(run.dir .. '/calls', lines(1000, '0.01'))
        local out = run.ok('call', 'bank', 'transfer', '--jsonl',
            run.dir .. '/calls')
        assert.matches('^1000 calls, 1000 accepted, 0 refused, %d+%.%d s\n$',
            out)
        assert.equal('10.00', run.balance().bob)
    end)

    it('stops at the first failure and names its line', function()
        run.bank()
        run.write(run.dir .. '/calls', lines(2, '1') .. '\n'
            .. lines(1, '500') .. lines(3, '1'))
        local done = run.shell('"$ATE" call bank transfer --jsonl - <calls')
        assert.equal(6, done.code)
        assert.matches('^ate: stdin: line 4: bank transfer: too_deep: ',
            done.err)
        assert.matches(', 1 refused, ', done.out)
    end)

    it('goes on when asked to, each result on its line', function()
        run.bank()
        run.write(run.dir .. '/calls', lines(1, '1') .. '{\n'
            .. lines(1, '500') .. '{"method":"transfer","as":"bob","args":'
            .. '{"from":"bob","to":"alice","amount":"0.50"}}\n')
        local done = run.shell([["$ATE" call bank transfer --keep-going \
            --jsonl calls]])
        assert.equal(2, done.code)
        assert.matches('line 2: bank: no JSON: line 1, column ', done.err)
        assert.matches('line 3: bank transfer: too_deep', done.err)
        assert.matches('^4 calls, 2 accepted, 1 refused, 1 failed, ', done.out)
        assert.same({alice = '-0.50', bob = '0.50'}, run.balance())
    end)

    -- Hundreds are in flight: what came behind a failure may have gone in.
    it('says every line that failed, and which went in behind it', function()
        run.bank()
        run.write(run.dir .. '/calls', lines(2, '1') .. lines(1, '500')
            .. '{"from":"alice"}\n' .. lines(1, '1') .. lines(1, '400')
            .. lines(2, '1') .. '{\n' .. lines(1, '1'))
        local done = run.shell('"$ATE" call bank transfer --jsonl calls')
        assert.equal(6, done.code)
        assert.matches('^ate: calls: line 3: bank transfer: too_deep: [^\n]*\n'
            .. 'ate: calls: line 4: bank transfer: [^\n]*\n'
            .. 'ate: calls: line 6: bank transfer: too_deep: [^\n]*\n'
            .. 'ate: calls: line 9: bank: no JSON: [^\n]*\n'
            .. 'calls: accepted: all before line 3, and behind it 5, 7%-8; '
            .. 'nothing behind line 9 was sent\n$', done.err)
        assert.matches('^9 calls, 5 accepted, 2 refused, 2 failed, ', done.out)
        assert.equal('5.00', run.balance().bob)
    end)

    it('ends with the code of the first line that failed', function()
        run.bank()
        run.write(run.dir .. '/calls', lines(1, '500') .. '{\n')
        assert.equal(6, run.ate('call', 'bank', 'transfer', '--jsonl',
            run.dir .. '/calls').code)
        local done = run.ate('call', 'bank', 'transfer', '--jsonl',
            run.dir .. '/calls', '--json')
        assert.equal(6, done.code)
        assert.matches('^{"error":{"code":"REFUSED",[^\n]*"line":1,.*\n'
            .. '{"error":{"code":"INVALID",[^\n]*"line":2,', done.err)
        assert.equal('', done.out)
    end)

    it('says what went in of a long one', function()
        run.bank()
        run.write(run.dir .. '/calls', lines(99, '0.01') .. lines(1, '500')
            .. lines(2000, '0.01'))
        local done = run.ate('call', 'bank', 'transfer', '--jsonl',
            run.dir .. '/calls')
        local last = done.err:match('\n[^\n]*calls: accepted: all before line '
            .. '100, and behind it 101%-(%d+); nothing behind line %1 was sent'
            .. '\n$')
        assert.is_not_nil(last, done.err)
        assert.matches(('^%s calls, %d accepted, 1 refused, '):format(last,
            last - 1), done.out)
        assert.equal(('%.2f'):format((last - 1) / 100), run.balance().bob)
    end)

    it('with ids of calls can be sent again and books nothing twice', function()
        run.bank()
        local list = {}
        for i = 1, 40 do
            list[i] = ('{"args":{"from":"alice","to":"bob","amount":"1"},'
                .. '"call_id":"00000000-0000-4000-8000-%012d"}\n'):format(i)
        end
        run.write(run.dir .. '/calls', table.concat(list, '', 1, 10))
        run.ok('call', 'bank', 'transfer', '--jsonl', run.dir .. '/calls')
        run.write(run.dir .. '/calls', table.concat(list))
        local out = run.ok('call', 'bank', 'transfer', '--jsonl',
            run.dir .. '/calls')
        assert.matches('^40 calls, 40 accepted, 0 refused, ', out)
        assert.equal('40.00', run.balance().bob)
        run.write(run.dir .. '/calls', (list[1]:gsub('"1"', '"2"')))
        run.fails(5, 'line 1: bank.transfer: .*this call id was used with '
            .. 'other arguments', 'call', 'bank', 'transfer', '--jsonl',
            run.dir .. '/calls')
    end)

    it('proposes nothing', function()
        run.bank()
        run.write(run.dir .. '/calls', lines(1, '1'))
        run.fails(2, '%-%-propose', 'call', 'bank', 'transfer', '--propose',
            '--jsonl', run.dir .. '/calls')
        assert.is_nil(run.balance().bob)
    end)
end)
