--- examples/books from outside: ledgers of Beancount go in, balances come out
-- and equal bean-query's. SOAK=N adds N ledgers of bean-example.
local run = require('helper')

local root = run.root .. '/'
local ate = os.getenv('ATE') or (os.getenv('ATE_BUILD') or root .. 'build') .. '/ate'
local EXAMPLE = '/usr/share/doc/beancount/examples/example.beancount'

local quote, read, write = run.quote, run.read, run.write

--- Run a line of shell: exit code, stdout, stderr.
local function sh(folder, line)
    os.execute(('export ATE=%s; ( %s ) >%s/out 2>%s/err; echo $? >%s/code')
        :format(ate, line, folder, folder, folder))
    return tonumber(read(folder .. '/code')), read(folder .. '/out'),
        read(folder .. '/err')
end

describe('books', function()
    local folder, data, books

    --- Run examples/books/books on a file: exit code, stdout, stderr.
    local function import(file, options, before)
        return sh(folder, ('%s %s %s --data %s %s'):format(before or '', books,
            quote(file), data, options or ''))
    end

    local function fixture(name)
        return root .. 'tests/system/fixtures/books/' .. name .. '.beancount'
    end

    --- Import a file that is fine; its stdout.
    local function good(file, options)
        local code, out, err = import(file, options)
        assert.are.equal('', (err:gsub("[^\n]* equal bean%-query's\n", '')))
        assert.are.equal(0, code)
        return out
    end

    --- Size of a chain in transactions.
    local function size(chain)
        local code, out = sh(folder, ('%s chain info %s --json --data %s')
            :format(ate, quote(chain), data))
        assert.are.equal(0, code)
        return tonumber(out:match('"size": ?(%d+)'))
    end

    before_each(function()
        run.begin()
        folder, data = run.dir, run.data
        books = root .. 'examples/books/books'
    end)

    after_each(run.finish)

    it('agrees with bean-query on the example ledger', function()
        local out = good(EXAMPLE)
        assert.is_truthy(out:find(
            "58 balances of 1,146 entries equal bean-query's\n", 1, true))
        assert.is_truthy(out:find(
            'Assets:US:BofA:Checking +3043%.23 +USD\n'))
    end)

    it('prints csv and nothing else to stdout', function()
        local out = good(EXAMPLE, '--csv')
        assert.are.equal('account,commodity,balance', out:match('^[^\n]*'))
        assert.is_truthy(out:find(
            '\nAssets:US:BofA:Checking,USD,3043.23\n', 1, true))
        assert.are.equal(59, select(2, out:gsub('\n', '')))
    end)

    it('books nothing twice', function()
        local first = good(EXAMPLE, '--csv')
        local before = size('books/example')
        assert.are.equal(first, good(EXAMPLE, '--csv'))
        assert.are.equal(before, size('books/example'))
    end)

    it('adds what a ledger gained', function()
        local text = 'plugin "beancount.plugins.auto_accounts"\n'
            .. '2020-01-01 * "one"\n  Assets:A  1.00 EUR\n  Income:B\n'
        write(folder .. '/l.beancount', text)
        good(folder .. '/l.beancount')
        -- A line above moves every entry; that does not make it another one.
        write(folder .. '/l.beancount', '; grown\n' .. text
            .. '2020-01-02 * "two"\n  Assets:A  2.00 EUR\n  Income:B\n')
        assert.is_truthy(good(folder .. '/l.beancount'):find(
            '2 balances of 2 entries equal', 1, true))
    end)

    it('refuses a ledger whose booked entries were edited', function()
        local text = 'plugin "beancount.plugins.auto_accounts"\n'
            .. '2020-01-01 * "one"\n  Assets:A  1.00 EUR\n  Income:B\n'
        write(folder .. '/l.beancount', text)
        good(folder .. '/l.beancount')
        write(folder .. '/l.beancount', (text:gsub('1%.00', '1.01')))
        local code, out, err = import(folder .. '/l.beancount')
        assert.are.equal(5, code)
        assert.are.equal('', out)
        assert.is_truthy(err:find('holds 1 entry that the ledger', 1, true))
    end)

    it('names the entry that a rule refuses', function()
        local text = 'plugin "beancount.plugins.auto_accounts"\n'
            .. '2020-01-01 * "one"\n  Assets:A  1.00 EUR\n  Income:B\n'
        write(folder .. '/l.beancount', text)
        good(folder .. '/l.beancount')
        assert.are.equal(0, (sh(folder, ate .. ' call books/l close book=main '
            .. 'period=2020-01 --data ' .. data)))
        write(folder .. '/l.beancount', text
            .. '2020-01-31 * "late"\n  Assets:A  2.00 EUR\n  Income:B\n')
        local code, _, err = import(folder .. '/l.beancount')
        assert.are.equal(6, code)
        assert.is_truthy(err:find('l.beancount:5: entry of 2020-01-31 "late": '
            .. 'books/l post: period_closed: 2020-01 is closed', 1, true))
    end)

    local seeds = {1, 7, 2024}
    for seed = 1, tonumber(os.getenv('SOAK') or 0) do
        seeds[#seeds + 1] = 100000 + seed
    end
    for _, seed in ipairs(seeds) do
        it('agrees on bean-example --seed ' .. seed, function()
            local file = ('%s/%d.beancount'):format(folder, seed)
            assert.are.equal(0, (sh(folder, ('bean-example --seed %d -o %s')
                :format(seed, file))))
            assert.is_truthy(good(file):find('entries equal bean%-query'))
        end)
    end

    it('goes on after it was killed', function()
        -- Killed when its header file has 100 KiB, or at its end.
        local code = sh(folder, ([[
            setsid sh -c 'echo $$ >%s/pid; exec %s %s --data %s' &
            child=$!
            for i in $(seq 10000); do
                size=$(cat %s/*/*/1.head 2>/dev/null | wc -c)
                test "$size" -gt 102400 && break
                kill -0 $child 2>/dev/null || break
            done
            kill -KILL -- -$(cat %s/pid) 2>/dev/null
            wait $child
            exit 0]]):format(folder, books, EXAMPLE, data, data, folder))
        assert.are.equal(0, code)
        assert.is_truthy(good(EXAMPLE):find(
            "58 balances of 1,146 entries equal bean-query's\n", 1, true))
    end)

    for name, entries in pairs({prices = 9, names = 7, shapes = 10, many = 1,
        large = 4, lines = 1, nothing = 0}) do
        it('takes ' .. name .. '.beancount', function()
            assert.is_truthy(good(fixture(name)):find(('of %d %s equal')
                :format(entries, entries == 1 and 'entry' or 'entries'), 1,
                true))
            local code, out = sh(folder, ('%s chain verify %s --data %s')
                :format(ate, 'books/' .. name, data))
            assert.are.equal(0, code)
            assert.is_truthy(out:find('all as recorded', 1, true))
        end)
    end

    for name, want in pairs({
        syntax = {1, "Invalid token: '\"no'"},
        unbalanced = {1, 'Transaction does not balance: (-1.00 EUR)'},
        too_fine = {1, 'too_fine.beancount:5: entry of 2020-01-02 "ten '
            .. 'decimals": 1E-10 COIN on Assets:Wallet has 10 decimals'},
        too_large = {1, 'too_large.beancount:2: entry of 2020-01-01 "more '
            .. 'than fits": 123456789012345678 YEN on Assets:Vault'},
        own_weight = {1, 'own_weight.beancount:2: entry of 2020-01-01 "odd": '
            .. '10.00 EUR on Assets:A weigh 11.0000'},
    }) do
        it('refuses ' .. name .. '.beancount and writes nothing', function()
            local code, out, err = import(fixture(name))
            assert.are.equal(want[1], code)
            assert.are.equal('', out)
            assert.is_truthy(err:find(want[2], 1, true))
            assert.is_nil(io.open(data .. '/names'))
        end)
    end

    it('says what is missing', function()
        local code, _, err = import(folder .. '/none.beancount')
        assert.are.equal(3, code)
        assert.is_truthy(err:find('none.beancount: no such file', 1, true))
        code, _, err = import(folder)
        assert.are.equal(2, code)
        assert.is_truthy(err:find('a folder, not a ledger', 1, true))
        code, _, err = import(EXAMPLE, '', 'PATH=/nowhere')
        assert.are.equal(7, code)
        assert.is_truthy(err:find('apt install beancount', 1, true))
    end)

    it('says when its output can not be written', function()
        local code, _, err = import(EXAMPLE, '>/dev/full')
        assert.are.equal(1, code)
        assert.are.equal('books: standard output: No space left on device\n',
            err)
        assert.are.equal(1, (import(EXAMPLE, '--csv >/dev/full')))
        code, _, err = import(EXAMPLE, '--data /proc/none')
        assert.is_truthy(err:find('books: /proc/none: No such file', 1, true))
        assert.are.equal(1, code)
    end)

    it('names the balance that differs', function()
        -- A bean-query that adds up wrongly.
        assert.are.equal(0, (sh(folder, 'mkdir ' .. folder .. '/bin')))
        write(folder .. '/bin/bean-query', '#!/bin/sh\n'
            .. '/usr/bin/bean-query "$@" | sed "s/(99.33 EUR)/(99.34 EUR)/"\n')
        sh(folder, 'chmod +x ' .. folder .. '/bin/bean-query')
        local code, _, err = import(fixture('shapes'), '',
            'PATH=' .. folder .. '/bin:$PATH')
        assert.are.equal(8, code)
        assert.is_truthy(err:find('Assets:Cash EUR: 99.33 in the chain, '
            .. '99.34 in bean-query', 1, true))
    end)

    describe('rules', function()
        local function call(method, args, as)
            return sh(folder, ('printf %%s %s | %s call books/shapes %s '
                .. '--jsonl - --data %s %s'):format(quote(args .. '\n'), ate,
                method, data, as or ''))
        end

        local function entry(date, units)
            return ('{"book": "main", "voucher": "v", "date": "%s", '
                .. '"narration": "", "postings": [{"account": "Assets:Old", '
                .. '"commodity": "EUR", "units": "1.00"}, {"account": '
                .. '"Income:Job", "commodity": "EUR", "units": "%s"}]}')
                :format(date, units)
        end

        local function refused(rule, text, code, _, err)
            assert.are.equal(6, code)
            assert.is_truthy(err:find(rule, 1, true))
            assert.is_truthy(err:find(text, 1, true))
        end

        before_each(function()
            good(fixture('shapes'))
        end)

        it('refuse what does not balance', function()
            refused('unbalanced', 'off by -9.00 EUR',
                call('post', entry('2020-01-06', '-10.00')))
        end)

        it('refuse entries on a closed account', function()
            refused('account_closed', 'Assets:Old was closed on 2020-01-08',
                call('post', entry('2020-01-09', '-1.00')))
        end)

        it('refuse strangers', function()
            sh(folder, ate .. ' key new eve --data ' .. data)
            refused('not_yours', 'main is not yours', call('post',
                entry('2020-01-06', '-1.00'), '--as eve'))
        end)

        it('refuse entries of a closed month', function()
            assert.are.equal(0, (call('close',
                '{"book": "main", "period": "2020-01"}')))
            refused('period_closed', '2020-01 is closed',
                call('post', entry('2020-01-06', '-1.00')))
        end)

        it('take one voucher once', function()
            assert.are.equal(0, (call('post', entry('2020-01-06', '-1.00'))))
            assert.are.equal(5, (call('post', entry('2020-01-06', '-1.00'))))
        end)
    end)
end)
