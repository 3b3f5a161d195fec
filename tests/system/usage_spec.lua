local run = require('helper')
local ate = require('ate')

before_each(run.begin)
after_each(run.finish)

describe('usage', function()
    it('is shown for every command, from one table', function()
        local out = run.ok('--help')
        for name in ('new check test chain call get history list view key '
            .. 'repl dev completion help version'):gmatch('%S+') do
            assert.matches('\n  ' .. name, out)
            assert.matches('Usage: ate ' .. name, run.ok(name, '--help'))
        end
        assert.matches('Usage: ate chain create NAME %-%-schema FILE',
            run.ok('chain', 'create', '-h'))
        assert.matches('Usage: ate dev flip%-byte PATH',
            run.ok('help', 'dev', 'flip-byte'))
    end)

    it('stands in lines of a terminal', function()
        local help = run.ok('help')
        for _, command in ipairs(run.json('help')) do
            help = help .. run.ok('help', command.command:match('^%S+'),
                command.command:match(' (%S+)$'))
        end
        for line in help:gmatch('[^\n]+') do
            assert(#line <= 80 or line:match('^  ate '), line)
        end
    end)

    it('is an error without a command', function()
        local done = run.ate()
        assert.equal(2, done.code)
        assert.equal('', done.out)
        assert.matches('Usage: ate COMMAND', done.err)
    end)

    it('runs no Lua that lies where it is started', function()
        run.script('mkdir -p ate/cli && echo "os.exit(77)" >ate/cli/main.lua '
            .. '&& cp ate/cli/main.lua ate/cli/args.lua')
        assert.matches('^ate ', run.ok('--version'))
    end)

    it('suggests what may have been meant', function()
        run.fails(2, 'did you mean "chain"', 'chian', 'ls')
        run.fails(2, 'did you mean "create"', 'chain', 'craete', 'x')
        assert.equal(run.fails(2, 'did you mean "create"', 'chain', 'creat'),
            run.fails(2, 'did you mean "create"', 'help', 'chain', 'creat'))
        assert.equal(run.fails(2, 'did you mean "chain"', 'chian'),
            run.fails(2, 'did you mean "chain"', 'help', 'chian'))
        run.fails(2, 'did you mean "%-%-schema"', 'chain', 'create', 'x',
            '--schem', 'y')
        run.fails(2, 'needs a verb; there are: add, bearer, ls, new, show', 'key')
        run.fails(2, 'is no verb of ate key; there are: add, bearer', 'key',
            'zzzz')
        run.fails(2, 'is no verb of ate key; did you mean "show"', 'key',
            'shwo')
        run.fails(2, '%-%-schema FILE is missing, .*; ate new DIR makes one',
            'chain', 'create', 'x')
        run.fails(2, 'DIR is missing, the folder; its name', 'new')
        run.fails(2, 'NAME is missing, the chain; see ate view', 'view')
        run.fails(2, 'DIR is empty', 'new', '')
        run.fails(2, 'NAME is empty', 'view', '', 'balance')
        run.fails(2, '%-%-from is a whole number, not "1e300"', 'chain', 'tail',
            'bank', '--from', '1e300')
        run.fails(2, 'too many arguments', 'version', 'x')
    end)

    it('is JSON where JSON is asked for', function()
        local names = {}
        for _, command in ipairs(run.json('help')) do
            names[command.command] = command
        end
        assert.equal('FILE', names['chain create'].options[1].value)
        assert.same(names, (function()
            local all = {}
            for _, command in ipairs(run.json('--help')) do
                all[command.command] = command
            end
            return all
        end)())
        assert.same(names.call, run.json('help', 'call'))
        assert.same(names.call, run.json('call', '--help'))
        assert.same(names['key add'], run.json('help', 'key', 'add'))
        assert.equal(5, #run.json('key', '--help'))
        assert.equal(run.ok('completion', 'bash'),
            run.json('completion', 'bash').script)
        run.bank()
        local done = run.ate('view', 'bank', 'balance', '-o', 'csv', '--json')
        assert.equal(2, done.code)
        assert.matches('^{"error":.*%-%-output csv', done.err)
        assert.equal('', done.out)
        assert.same({}, run.json('view', 'bank', 'balance', '-o', 'json'))
        assert.matches("ate chain ls lists.*no chain 'q' in /%S+/data\"",
            run.ate('chain', 'info', 'q', '--json').err)
    end)

    it('is readable JSON, whatever was typed', function()
        run.bank()
        local done = run.ate('chain', 'info', 'b\255nk', '--json')
        assert.equal(3, done.code)
        assert.matches([["text":"no chain 'b\\xffnk']], done.err, 1, true)
    end)

    it('needs a command', function()
        run.fails(2, '%-%-data needs a value, DIR', '--data')
        run.fails(2, 'a command is missing', '--data', run.dir)
        run.fails(2, '%-%-json takes no value', '--json=x')
        run.fails(2, 'unknown option %-%-jsno; did you mean "%-%-json"',
            '--jsno')
        run.fails(2, 'unknown option %-x', '-x')
    end)

    it('tells the version', function()
        assert.matches('^ate %d+%.%d+%.%d+\n$', run.ok('--version'))
        assert.equal(run.ok('--version'), run.ok('version'))
    end)

    it('has no colours off a terminal', function()
        run.bank()
        local done = run.shell([["$ATE" chain info bank; "$ATE" help;
            "$ATE" get bank account nobody]])
        assert.is_nil((done.out .. done.err):find('\27'))
    end)

    it('has colours on a terminal unless NO_COLOR is set', function()
        run.bank()
        local done = run.shell([[
            script -qec 'exec "$ATE" view bank balance' /dev/null]])
        assert.matches('\27%[1maccount', done.out)
        done = run.shell([[NO_COLOR=1 script -qec 'exec "$ATE" view bank balance' \
            /dev/null]])
        assert.is_nil(done.out:find('\27'))
    end)

    it('shows progress on a terminal alone', function()
        run.bank()
        local done = run.shell([[
            script -qec 'exec "$ATE" chain verify bank' /dev/null
            "$ATE" chain verify bank]])
        assert.equal(0, done.code)
        assert.matches('all as recorded[^\n]*\n$', done.out)
        assert.equal('', done.err)
    end)

    it('shows how much of a file of calls is done', function()
        run.bank()
        local lines = {}
        for i = 1, 1500 do
            lines[i] = '{"from":"alice","to":"bob","amount":"0.01"}\n'
        end
        run.write(run.dir .. '/calls', table.concat(lines))
        local done = run.shell([[
            script -qec 'exec "$ATE" call bank transfer --jsonl calls' /dev/null
        ]])
        assert.matches('\rcall %d+ %[#+ *%] %d+ %%\27%[K', done.out)
        assert.matches('\r\27%[K1500 calls, 1500 accepted', done.out)
    end)

    -- The next file that is opened would take its place.
    it('goes with streams that are closed', function()
        run.bank()
        local done = run.shell([[
            "$ATE" call bank transfer --jsonl - <&-
            echo "in $?"
            "$ATE" view bank balance -o csv 2>&-
            echo "err $?"
            "$ATE" view bank balance <&- 2>&- | head -n 1
            "$ATE" repl bank <&- 2>&-
            echo "repl $?"
            for close in '>&-' '<&- >&-' '>&- 2>&-' '<&- >&- 2>&-'; do
                eval "\"\$ATE\" call bank transfer from=alice to=bob \
                    amount=1 $close"
                echo "out $?"
            done
            "$ATE" chain verify bank
        ]])
        assert.matches('^0 calls, 0 accepted, 0 refused, 0%.%d s\nin 0\n'
            .. 'account,amount\nerr 0\naccount  amount\nrepl 0\n'
            .. 'out 1\nout 1\nout 1\nout 1\n'
            .. 'name    bank\n.*\n%d+ transactions, %d+ signatures, %d+ '
            .. 'verdicts: all as recorded[^\n]*\n$', done.out)
        assert.matches('^ate: standard output: Bad file descriptor\n',
            done.err)
    end)

    it('says that a script recursed without end', function()
        run.write(run.dir .. '/deep.lua',
            'local function f() return 1 + f() end\nprint(f())')
        run.fails(1, 'deep.lua: stack overflow', 'run', 'deep.lua')
        run.write(run.dir .. '/closed.lua', [[
            local folder = require('ate').open()
            folder:close()
            print(folder:chains())]])
        run.ok('key', 'new', 'me')
        assert.equal('nil\tthe folder was closed\n', run.ok('run', 'closed.lua'))
    end)

    it('says when output can not be written', function()
        local done = run.shell('"$ATE" help >/dev/full')
        assert.equal(1, done.code)
        assert.matches('No space left', done.err)
        -- Also when it was written long before the end.
        run.write(run.dir .. '/much.lua', "print(('x'):rep(1e5))")
        done = run.shell('"$ATE" run much.lua >/dev/full')
        assert.equal(1, done.code)
        assert.matches('^ate: standard output: ', done.err)
    end)
end)

describe('a command', function()
    it('is found by the name of its file', function()
        local commands = require('ate.cli.table_of_commands')
        for _, noun in ipairs(commands.all()) do
            assert.equal(noun, commands.noun(noun.name))
        end
        assert.is_nil(commands.noun('nothing'))
        assert.is_nil(commands.noun(nil))
    end)
end)

describe('a name that is not there', function()
    it('is 3, with a hint', function()
        run.fails(3, 'no data folder at .*ate chain create', 'chain', 'ls')
        run.bank()
        run.fails(3, 'bnak', 'view', 'bnak', 'balance')
        run.fails(3, 'no method "tranfer"; did you mean "transfer"', 'call',
            'bank', 'tranfer')
        run.fails(3, 'bank: account.delete is turned off, bank.lua:%d+\n',
            'call', 'bank', 'account.delete')
        run.fails(3, 'bank: account is a type, not a view; try ate list bank '
            .. 'account\n', 'view', 'bank', 'account')
        run.fails(3, 'bank: balance is a view, not a type; try ate view bank '
            .. 'balance\n', 'list', 'bank', 'balance')
        run.fails(3, 'no view "balances"; did you mean "balance"', 'view',
            'bank', 'balances')
        run.fails(3, 'no type "acount"; did you mean "account"', 'list',
            'bank', 'acount')
        run.fails(3, 'carol', 'get', 'bank', 'account', 'carol')
        run.fails(3, 'nobody', 'key', 'show', 'nobody')
        run.fails(3, 'carol', 'call', 'bank', 'transfer', 'from=alice',
            'to=bob', 'amount=1', '--as', 'carol')
        run.fails(3, 'nosuch.lua', 'check', run.dir .. '/nosuch.lua')
        run.fails(3, 'nosuch', 'chain', 'verify', '--path',
            run.dir .. '/nosuch')
        run.fails(3, 'no file or folder /.*nosuch', 'dev', 'flip-byte',
            run.dir .. '/nosuch')
    end)

    it('is a verb without its noun, or what others call it', function()
        local rest = '; ate help lists them\n$'
        for word, there in pairs({create = 'ate chain create',
            apply = 'ate schema apply', init = 'ate new',
            ls = 'ate chain ls, ate key ls, ate worker ls',
            status = 'ate chain info'}) do
            run.fails(2, '^ate: "' .. word .. '" is no command of ate; there '
                .. 'is ' .. there .. rest, word, 'bank')
        end
        run.fails(2, '^ate: "nonsense" is no command of ate' .. rest,
            'nonsense')
    end)

    -- Whoever was sent a folder has no chains: those are not what to tell.
    it('is a chain, and not its folder', function()
        for _, path in ipairs({'/tmp/copy', './copy', '../copy'}) do
            local said = '^ate: ' .. path:gsub('%p', '%%%0') .. ' is no name '
                .. 'of a chain; a chain\'s folder is named by %-%-path '
                .. path:gsub('%p', '%%%0') .. '\n$'
            run.fails(2, said, 'chain', 'verify', path)
            run.fails(2, said, 'schema', 'source', path, 'bank')
        end
    end)
end)

describe('an argument that is wrong', function()
    it('is 2, and says which', function()
        run.bank()
        run.fails(2, 'bank transfer: unknown field "amuont"; did you mean '
            .. '"amount"', 'call', 'bank', 'transfer', 'amuont=1')
        run.fails(2, 'amount', 'call', 'bank', 'transfer', 'from=alice',
            'to=bob', 'amount=ten')
        run.fails(2, 'amount', 'call', 'bank', 'transfer', 'from=alice',
            'to=bob', 'amount=0.001')
        run.fails(2, 'amount', 'call', 'bank', 'transfer', 'from=alice',
            'to=bob', 'amount=-1')
        run.fails(2, 'amount', 'call', 'bank', 'transfer', 'from=alice',
            'to=bob')
        run.fails(2, 'extra', 'call', 'bank', 'transfer', '--args',
            '{"from":"alice","to":"bob","amount":"1","extra":1}')
        run.fails(2, 'no JSON: line 1', 'call', 'bank', 'transfer', '--args',
            '{')
        run.fails(2, 'no JSON object', 'call', 'bank', 'transfer', '--args',
            '[]')
        run.fails(2, 'unknown field "x"; there are: amount, from, to\n', 'call',
            'bank', 'transfer', 'x=1')
        run.fails(2, 'unknown field "acount"', 'view', 'bank', 'balance',
            'acount=alice')
        local done = run.ate('call', 'bank', 'transfer', 'from=carol',
            'to=bob', 'amount=1')
        assert.is_true(done.code == 2 or done.code == 3 or done.code == 6)
        assert.matches('carol', done.err)
        run.fails(2, 'is a folder, not a file of calls', 'call', 'bank',
            'transfer', '--jsonl', run.dir)
        run.fails(2, 'name', 'call', 'bank', 'account.put', 'name=a/b',
            'owner=me')
    end)

    it('of chain create is told what it leaves out', function()
        local schema = run.bank_schema()
        local function create(name, stages)
            return run.ate('chain', 'create', name, '--schema', schema,
                '--accept', stages)
        end
        assert.equal('', create('a', 'accept-all,serializer,structured-logic')
            .err)
        assert.matches('^warning: nothing will ever be accepted: %-%-accept '
            .. 'has none of accept%-all, master%-key%-validator, '
            .. 'trust%-delegation\n$', create('b', 'serializer,structured-logic').err)
        assert.matches('^warning: the 2 rules of the schema will not be asked: '
            .. '%-%-accept has no structured%-logic\n$',
            create('c', 'accept-all,serializer').err)
        assert.equal(2, create('d', '').code)
        assert.matches("^ate: chain create: pipeline: no materializer is "
            .. "called 'accept%-al'", create('d', 'accept-al').err)
        local help = run.ok('help', 'chain', 'create')
        for _, stage in ipairs({'accept%-all', 'master%-key%-validator',
            'serializer', 'structured%-logic', 'trust%-delegation'}) do
            assert.matches(stage, help)
        end
    end)

    it('that warns has its warnings in JSON, too', function()
        run.write(run.dir .. '/loose.lua', [[
local ate = require('ate')
local loose = ate.schema('loose', {doc = 'Notes.', version = 1})
loose:event('note', {
    doc = 'A note.', header = {text = ate.types.text({max = 9})},
})
loose:rule('never', {
    doc = 'Not.', on = {'note'}, check = function() return true end,
})
return loose
]])
        local told = {
            'note: no rule looks at who writes one: whoever holds a key may '
                .. '(loose.lua:3)',
            'nothing will ever be accepted: --accept has none of accept-all, '
                .. 'master-key-validator, trust-delegation',
            'the rule of the schema will not be asked: --accept has no '
                .. 'structured-logic'}
        local done = run.ate('chain', 'create', 'loose', '--schema',
            run.dir .. '/loose.lua', '--accept', 'serializer', '--json')
        assert.equal(0, done.code, done.err)
        assert.equal('', done.err)
        local info = ate.json.decode(done.out)
        assert.equal('loose', info.name)
        assert.same(told, info.warnings)
        run.bank_schema()
        assert.same({}, run.json('chain', 'create', 'bank', '--schema',
            run.dir .. '/bank.lua').warnings)
        assert.same({changes = {}, warnings = {told[1]},
            bundle = run.json('chain', 'info', 'loose').bundle},
            run.json('schema', 'plan', 'loose', run.dir .. '/loose.lua'))
    end)

    it('that is there already is 5', function()
        run.bank()
        run.fails(5, "there is a chain 'bank' already; take another name\n",
            'chain', 'create', 'bank', '--schema', run.dir .. '/bank.lua')
        run.fails(5, "'bank/a' can't be the name of a chain: 'bank' is one, "
            .. 'and no chain stands below another; take a name that does not '
            .. 'begin with that one and a slash\n', 'chain', 'create',
            'bank/a', '--schema', run.dir .. '/bank.lua')
        run.ok('chain', 'create', 'jobs/a', '--schema', run.dir .. '/bank.lua')
        run.fails(5, "'jobs' can't be the name of a chain: 'jobs/a' is one, "
            .. 'and no chain stands below another; take a name that is not '
            .. 'the beginning of that one\n', 'chain', 'create', 'jobs',
            '--schema', run.dir .. '/bank.lua')
        run.fails(5, 'bob', 'key', 'new', 'bob')
        run.ok('new', run.dir .. '/shop')
        run.fails(5, 'shop.lua is there already', 'new', run.dir .. '/shop')
    end)
end)

describe('what a chain has', function()
    it('is said where it is missing, or mistyped beyond a guess', function()
        run.bank()
        run.fails(2, 'VIEW is missing, the view, such as balance; there are: '
            .. 'balance; see ate view %-%-help', 'view', 'bank')
        run.fails(2, 'TYPE is missing.*; there are: account, transfer;',
            'list', 'bank')
        run.fails(2, 'call needs a METHOD; there are: transfer, and those of '
            .. 'types: ate schema show bank;', 'call', 'bank')
        run.fails(3, 'no type "zzz"; there are: account, transfer\n', 'list',
            'bank', 'zzz')
        run.fails(3, 'no view "zzz"; there are: balance\n', 'view', 'bank',
            'zzz')
        run.fails(3, 'no method "zzz"; there are: transfer, and', 'call',
            'bank', 'zzz')
        run.fails(2, 'VIEW is missing, the view, such as balance; see',
            'view', 'nochain')
    end)

    it('is shown as text and as JSON', function()
        run.bank()
        local out = run.ok('schema', 'show', 'bank')
        for _, line in ipairs({'schema bank 1: ', 'type account, key name: ',
            'view balance: ', 'rule too_deep: ', 'method transfer: ',
            '  amount  amount', 'methods of account:   account.create, get, '
                .. 'history, list, put'}) do
            assert(('\n' .. out):find('\n' .. line, 1, true), line .. out)
        end
        assert.matches('^method transfer: .*\n  amount  amount',
            run.ok('schema', 'show', 'bank', 'transfer')
                :match('method transfer.*'))
        assert.equal('bank', run.json('schema', 'show', 'bank').main)
        local one = run.json('schema', 'show', 'bank', 'balance')
        assert.equal(1, #one)
        assert.equal('view', one[1].part)
        run.fails(3, 'nothing is called "balanse"; did you mean "balance"',
            'schema', 'show', 'bank', 'balanse')
        run.fails(3, '"zzz"; ate schema show bank says', 'schema', 'show',
            'bank', 'zzz')
        run.fails(3, "no chain 'x'", 'schema', 'show', 'x')
        assert.matches('\ntransfer\n', '\n' .. run.ok('complete', '--',
            'schema', 'show', 'bank', 'tr'))
        assert.equal('me\n', run.ok('complete', '--', 'key', 'show', 'm'))
    end)
end)

describe('columns', function()
    it('of a page are those of its view, in that order', function()
        run.write(run.dir .. '/desk.lua', [[
local ate = require('ate')
local t = ate.types
local desk = ate.schema('desk', {doc = 'A desk.', version = 1})
desk:event('request', {
    doc = 'Asked.',
    header = {who = t.name(), about = t.name()},
})
desk:view('waiting', {
    doc = 'What waits.',
    key = {'who'},
    row = {who = t.name(), about = t.name(), count = t.integer()},
    fold = {request = function(rows, request)
        rows:set({who = request.who}, {about = request.about, count = 1})
    end},
})
desk:method('queue', {
    doc = 'What waits.', mode = 'read', returns = t.page('waiting'),
    run = function(ctx)
        local page = {}
        for row in ctx.state.waiting:each() do
            page[#page + 1] = row
        end
        return page
    end,
})
desk:method('longer', {
    doc = 'What waits, with a remark.', mode = 'read',
    returns = t.page('waiting'),
    run = function(ctx)
        local page = {}
        for row in ctx.state.waiting:each() do
            row.a_remark = 'long'
            page[#page + 1] = row
        end
        return page
    end,
})
return desk
]])
        run.script([[
            "$ATE" chain create desk --schema desk.lua \
                --accept accept-all,serializer,structured-logic
            "$ATE" call desk request.append who=zoe about=a
        ]])
        local view = run.ok('view', 'desk', 'waiting')
        assert.matches('^who ', view)
        assert.equal(view, run.ok('call', 'desk', 'queue'))
        assert.equal(run.ok('view', 'desk', 'waiting', '-o', 'csv'),
            run.ok('call', 'desk', 'queue', '-o', 'csv'))
        assert.equal('who,about,count,a_remark\nzoe,a,1,long\n',
            run.ok('call', 'desk', 'longer', '-o', 'csv'))
    end)

    it('of a body that is one text are called body', function()
        run.write(run.dir .. '/memo.lua', [[
local ate = require('ate')
local memo = ate.schema('memo', {doc = 'M.', version = 1, bodies = 'open'})
memo:object('note', {
    doc = 'A note.', key = {'name'}, header = {name = ate.types.name()},
    body = ate.types.text({max = 100}),
})
return memo
]])
        run.script([[
            "$ATE" chain create memo --schema memo.lua 2>/dev/null
            "$ATE" call memo note.put name=a body=hello
        ]])
        assert.equal('name,body\na,hello\n',
            run.ok('list', 'memo', 'note', '-o', 'csv'))
        assert.matches('^at,time,author,change,name,body\n',
            run.ok('history', 'memo', 'note', 'a', '-o', 'csv'))
        assert.matches('\nbody +hello\n', run.ok('get', 'memo', 'note', 'a'))
        assert.matches('\n  body +text', run.ok('schema', 'show', 'memo',
            'note'))
    end)
end)

describe('who begins', function()
    it('finds what ate help says to work, with another key as well', function()
        local help = run.ok('help')
        local lines = help:match('Start here:\n(.-)\n\n')
        assert.matches('ate new bank', lines)
        local done = run.script('PATH=$(dirname "$ATE"):$PATH\nset -e\n' .. lines
            .. [[

            ate key new bob
            ate call bank account.put name=bob owner=bob
            ate call bank account.put name=carol owner=bob --as bob
        ]])
        assert.matches('3 passed, 0 failed', done.out)
        assert.matches('account.put carol', done.out)
    end)

    it('is told whose name a schema can not have', function()
        for name, whose in pairs({ate = 'the module ate',
            t = 'something else'}) do
            run.fails(2, 'new: ' .. name .. ' can not be the name of this '
                .. 'schema: its Lua calls ' .. whose .. ' so', 'new',
                run.dir .. '/' .. name)
            assert.is_nil(io.open(run.dir .. '/' .. name))
        end
        run.ok('new', run.dir .. '/bank')
    end)

    it('is told which letters a name begins with, and has', function()
        run.fails(2, 'begins with a letter a to z, that of Äpfel does not',
            'new', 'Äpfel')
        local done = run.shell('"$ATE" new Größe')
        assert.equal(0, done.code, done.err)
        assert.matches('Größe/gr__e%.lua\n', done.out)
        assert.matches('the schema is called gr__e: a name has a to z',
            done.err)
    end)

    it('is told what is missing, by the name of its option', function()
        run.fails(2, '%-%-to WHO is missing, who gets them: a key\'s name, or '
            .. 'key:HEX', 'grant', 'bank', '/', 'write')
    end)

    it('has no data folder of a serve that failed', function()
        if run.is_without('rest') then
            return
        end
        for words, told in pairs({
            ['--rest nohost.example:0'] = 'HOST is an address or localhost',
            ['--rest 0 --tls-cert nothere.pem'] =
                'certificate nothere.pem: No such file or directory\n',
        }) do
            local done = run.shell('"$ATE" serve ' .. words)
            assert.equal(2, done.code, done.err)
            assert.matches(told, done.err)
            assert.is_nil(done.err:find('made the data folder', 1, true))
            assert.equal(2, run.shell('ls -d data').code)
        end
        local done = run.script(run.PRELUDE .. [[
            serve --rest 0
            port=${line##*:}
            "$ATE" serve --data other --rest "$port" 2>err || echo "exit $?"
            cat err
            ls -d other || :
            stop
        ]])
        assert.matches('^exit 5\nate: listen on %d+: address already in use; '
            .. 'take another port, 0 takes a free one\n', done.out)
    end)

    it('is told of a data folder that was made', function()
        local made = '^made the data folder ' .. run.data:gsub('%p', '%%%0')
        local done = run.ate('key', 'new', 'bob')
        assert.matches(made, done.err)
        assert.equal('', run.ate('key', 'new', 'eve').err)
        done = run.script(run.PRELUDE .. [[
            ATE_DATA=$PWD/typo
            serve
            stop
            cat serve.err
            ATE_DATA=$PWD/other
            serve --log logfmt
            stop
            grep made serve.err
        ]])
        assert.matches('^made the data folder /%S+/typo\n', done.out)
        assert.matches('event=start .*made=true', done.out)
    end)
end)

describe('a folder of something else', function()
    local function left()
        return run.shell('ls -A other').out
    end

    before_each(function()
        run.shell('mkdir other empty && echo 127.0.0.1 >other/hosts')
    end)

    it('is told to be none, and gets no lock', function()
        for _, words in ipairs({{'call', 'stock', 'x'}, {'list', 'stock', 'x'},
            {'grant', 'stock', '/', 'write', '--to', 'me'}}) do
            words[#words + 1] = '--data'
            words[#words + 1] = run.dir .. '/other'
            local done = run.ate(unpack(words))
            assert.equal(3, done.code, done.err)
            assert.matches('^note: /%S+/other is no data folder: it has '
                .. 'neither keys nor names', done.err)
            assert.matches("no chain 'stock' in /%S+/other; ", done.err)
        end
        local done = run.ate('chain', 'ls', '--data', run.dir .. '/other')
        assert.matches('^note: /%S+/other is no data folder', done.err)
        run.fails(3, "no chain 'stock' in /%S+/empty; ", 'call', 'stock', 'x',
            '--data', run.dir .. '/empty')
        run.write(run.dir .. '/s.lua', "assert(require('ate').open('other'))")
        assert.matches('other is no data folder', run.shell(
            '"$ATE" run s.lua').err)
        assert.equal('hosts\n', left())
        assert.equal('', run.shell('ls -A empty').out)
    end)

    it('is not served', function()
        run.fails(2, 'other is no data folder', 'serve', '--data',
            run.dir .. '/other')
        assert.equal('hosts\n', left())
    end)
end)

describe('what ate call --json prints', function()
    it('is a receipt', function()
        run.bank()
        local done = run.script([[
            "$ATE" call bank account.put name=eve owner=me --json >call.json
            "$ATE" proof check call.json bank && "$ATE" proof check - bank <call.json
        ]])
        assert.matches('^index +4\n.*fits +bank\nindex +4\n', done.out)
        run.write(run.dir .. '/x.json', '{"index":4}')
        run.fails(8, 'neither a proof', 'proof', 'check', run.dir .. '/x.json',
            'bank')
    end)
end)

describe('a text that a method gives', function()
    before_each(function()
        run.write(run.dir .. '/a.lua', [[
local ate = require('ate')
local t = ate.types
local a = ate.schema('a', {doc = 'Texts.', version = 1})
a:method('say', {
    doc = 'Say it.', mode = 'read', args = {text = t.text()},
    returns = t.text(),
    run = function(_, args)
        return args.text
    end,
})
return a
]])
        run.ok('chain', 'create', 'a', '--schema', run.dir .. '/a.lua')
    end)

    it('is printed as it is into a file', function()
        assert.equal('x\ny\n', run.ok('call', 'a', 'say', 'text=x\ny'))
        assert.equal(' x\\ny\n', run.ok('call', 'a', 'say',
            'text= x\\ny'))
    end)

    it('has escapes on a terminal, which are no others', function()
        local done = run.script([[
            export NO_COLOR=1
            script -qec 'exec "$ATE" call a say text="x
y"' /dev/null
            script -qec 'exec "$ATE" call a say text="x\\ny"' /dev/null
        ]])
        assert.equal('x\\ny\nx\\\\ny\n', (done.out:gsub('\r', '')))
    end)
end)
