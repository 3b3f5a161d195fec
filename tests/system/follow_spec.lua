--- Following and scripts, with real processes: subscribers that are killed and
-- go on, that stall, that are many, while another process writes.
--
-- A daemon is started by `serve` and ended by `stop`, as in serve_spec; what a
-- script starts it ends, and nothing else.
local run = require('helper')
local ate = require('ate')

before_each(run.begin)
after_each(run.finish)

local PRELUDE = run.PRELUDE .. [[
bank() {
    "$ATE" chain create bank --schema bank.lua \
        --accept accept-all,serializer,structured-logic >/dev/null &&
        "$ATE" call bank account.put name=alice owner=me >/dev/null &&
        "$ATE" call bank account.put name=bob owner=me >/dev/null
}
transfer() {
    "$ATE" call bank transfer from=alice to=bob "amount=$1" >/dev/null
}
# tells FILE TEXT: wait until it stands there.
tells() {
    until grep -q "$2" "$1" 2>/dev/null; do
        kill -0 "$follower" 2>/dev/null || fail "it ended: $(cat "$1")"
    done
}
# follow FILE WORDS...: start a follower in the background, where Ctrl-C counts.
follow() {
    to=$1
    shift
    : >>"$to"
    env --default-signal=INT "$ATE" "$@" >>"$to" 2>>follow.err &
    follower=$!
    children="$children $follower"
}
]]

local function script(text)
    run.bank_schema()
    return run.script(PRELUDE .. text)
end

local function json_lines(text)
    local list = {}
    for line in text:gmatch('[^\n]+') do
        list[#list + 1] = assert(ate.json.decode(line), line)
    end
    return list
end

--- A script's file in the folder of the test.
local function write_lua(name, text)
    run.write(run.dir .. '/' .. name, "local ate = require('ate')\n" .. text)
end

describe('--follow', function()
    it('tells what there is, then each change, and how to go on', function()
        for _, begin in ipairs({'serve', ':'}) do
            os.execute('rm -rf ' .. run.quote(run.data) .. ' '
                .. run.quote(run.dir) .. '/told')
            local done = script(begin .. [[

                bank
                transfer 1
                follow told view bank balance --follow
                tells told 'account=bob amount=1.00'
                transfer 2
                tells told 'account=bob amount=3.00'
                kill -INT $follower
                wait $follower
                echo "ended $?"
                cat told follow.err
                [ ']] .. begin .. [[' = : ] || stop
            ]])
            assert.matches('^ended 130\n', done.out)
            assert.matches('\n%+ account=alice amount=%-1.00\n', done.out)
            assert.matches('told up to position (%d+); %-%-from %1 goes on '
                .. 'there', done.out)
        end
    end)

    it('prints a line of JSON for each change', function()
        local done = script([[
            bank
            serve
            follow told get bank account alice --follow --json
            tells told '"at"'
            follow told2 list bank account -f --json
            follower2=$follower
            tells told2 '"at"'
            "$ATE" call bank account.put name=eve owner=me >/dev/null
            tells told2 eve
            stop
            wait $follower2
            echo "ended $?" >>codes
            cat told2
        ]])
        local lines = json_lines(done.out)
        assert.equal('alice', lines[1].put.id)
        assert.is_nil(lines[1].at)
        assert.equal('bob', lines[2].put.id)
        assert.is_number(lines[2].at)
        assert.equal('eve', lines[3].put.name)
        assert.is_true(lines[3].at > lines[2].at)
        assert.equal('ended 7\n', run.read(run.dir .. '/codes'))
    end)

    it('follows what a method gives', function()
        local done = script([[
            bank
            serve
            follow told call bank account.get name=alice --follow --json
            tells told '"at"'
            follow told2 call bank account.list -f
            tells told2 'name=bob'
            "$ATE" call bank account.put name=eve owner=me >/dev/null
            tells told2 'name=eve'
            kill -INT $follower
            wait $follower
            cat told
            stop
        ]])
        assert.equal('alice', json_lines(done.out)[1].value.name)
    end)

    it('is not for what prints rows as a whole', function()
        run.bank()
        run.fails(2, 'transfer: writes; it is called', 'call', 'bank',
            'transfer', 'from=alice', 'to=bob', 'amount=1', '--follow')
        run.fails(2, '%-%-follow is of one method', 'call', 'bank', '--jsonl',
            'x', '--follow')
        run.fails(2, '%-%-from goes with %-%-follow', 'call', 'bank', 'x',
            '--from', '3')
        run.fails(2, 'not %-%-output csv', 'view', 'bank', 'balance', '-f',
            '-o', 'csv')
        run.fails(2, "'limit' does not go with 'follow'", 'list', 'bank',
            'account', '-f', '-n', '3')
        run.fails(2, "'from' goes with 'follow'", 'view', 'bank', 'balance',
            '--from', '3')
        run.fails(2, '%-%-from goes with %-%-follow', 'get', 'bank', 'account',
            'bob', '--from', '3')
        run.fails(3, 'did you mean "balance"', 'view', 'bank', 'balanc', '-f')
    end)
end)

-- Writes until its file `stop` is there; each transfer is of one cent more.
local WRITER = [[
local bank = assert(ate.open()):chain('bank')
local n = 0
repeat
    n = n + 1
    local to = n % 2 == 0 and {'alice', 'bob'} or {'bob', 'alice'}
    assert(bank:transfer{from = to[1], to = to[2],
        amount = ('0.%02d'):format(n % 99 + 1)})
    if n % 10 == 0 then
        assert(bank:call('account.put', {name = 'x' .. n, owner = 'me'}))
    end
until io.open('stop') ~= nil or n == 20000
]]

describe('a subscriber that is killed', function()
    it('goes on and misses nothing, and is told nothing twice', function()
        write_lua('writer.lua', WRITER)
        local done = script([[
            bank
            serve
            "$ATE" run writer.lua &
            writer=$!
            children="$children $writer"
            from=0
            kills=0
            while [ $kills -lt 8 ]; do
                follow part$kills chain tail bank -f --json --from $from
                until [ "$(wc -l <part$kills)" -ge 20 ]; do
                    kill -0 $follower || fail "it ended: $(cat follow.err)"
                done
                kill -KILL $follower
                wait $follower 2>/dev/null
                # What was torn is no line.
                awk '{print}' <part$kills | sed -n '/}$/p' >whole
                cat whole >>tail
                last=$(tail -n 1 whole | sed 's/.*"index":\([0-9]*\).*/\1/')
                from=$((last + 1))
                kills=$((kills + 1))
            done
            touch stop
            wait $writer
            follow rest chain tail bank -f --json --from $from
            size=$("$ATE" chain info bank --json |
                sed 's/.*"size":\([0-9]*\).*/\1/')
            tells rest "\"index\":$((size - 1)),"
            kill -INT $follower
            wait $follower
            cat rest >>tail
            "$ATE" chain tail bank --from 0 --json >log
            cmp tail log || fail "it is not the log"
            wc -l <log
            stop
        ]])
        assert.is_true(tonumber(done.out) > 160)
    end)

    it('is told where the log ends before what it goes on from', function()
        local done = script([[
            bank
            size=$("$ATE" chain info bank --json | sed 's/.*"size":\([0-9]*\).*/\1/')
            [ -z "$("$ATE" chain tail bank --from "$size" --json)" ] || fail 'something'
            "$ATE" chain tail bank -f --json --from $((size + 1)) 2>told && fail 'it went on'
            echo $?
            grep -q "there is no transaction $((size + 1)): the log has $size" told ||
                fail "$(cat told)"
        ]])
        assert.equal('3\n', done.out)
    end)

    it('has the view at its position, wherever it was killed', function()
        write_lua('writer.lua', WRITER)
        -- Applies what it is told, and keeps it with the position, atomically.
        write_lua('reader.lua', [[
local bank = assert(ate.open()):chain('bank')
local kept = {rows = {}}
local file = io.open('kept')
if file ~= nil then
    kept = assert(ate.json.decode(file:read('*a')))
    file:close()
end
local batch, seen = {}, 0
for change in bank:follow('view', 'balance', nil, {from = kept.at}) do
    assert(change.reset == nil, change.reset)
    batch[#batch + 1] = change
    if change.at ~= nil then
        for _, one in ipairs(batch) do
            if one.put ~= nil then
                kept.rows[one.put.account] = one.put.amount
            end
        end
        -- What was told before is not told again: each batch is of its own.
        assert(kept.at == nil or change.at > kept.at or #batch == 1
            and change.put == nil, 'told twice')
        batch, kept.at, seen = {}, change.at, seen + 1
        local new = assert(io.open('kept.new', 'w'))
        new:write(ate.json.encode(kept))
        new:close()
        assert(os.rename('kept.new', 'kept'))
        print(kept.at)
        io.stdout:flush()
    end
end
]])
        local done = script([[
            bank
            serve
            "$ATE" run writer.lua &
            writer=$!
            children="$children $writer"
            kills=0
            while [ $kills -lt 8 ]; do
                follow part$kills run reader.lua
                until [ "$(wc -l <part$kills)" -ge 10 ]; do
                    kill -0 $follower || fail "it ended: $(cat follow.err)"
                done
                kill -KILL $follower
                wait $follower 2>/dev/null
                kills=$((kills + 1))
            done
            touch stop
            wait $writer
            # The last position is the one of the last change, once all is told.
            "$ATE" call bank transfer from=bob to=alice amount=0.01 --json >last
            at=$(sed 's/.*"index":\([0-9]*\).*/\1/' last)
            follow rest run reader.lua
            tells rest "^$((at + 1))$"
            kill -KILL $follower
            cat kept
            echo
            "$ATE" view bank balance --json
            stop
        ]])
        local first, second = done.out:match('^(.-)\n(.*)$')
        local kept = assert(ate.json.decode(first))
        local rows = {}
        for _, row in ipairs(assert(ate.json.decode(second))) do
            rows[row.account] = row.amount
        end
        assert.same(rows, kept.rows)
    end)

    it('goes on after the daemon was one, too', function()
        local done = script([[
            bank
            serve
            transfer 1
            follow told view bank balance -f --json
            tells told '"at"'
            at=$(tail -n 1 told | sed 's/.*"at":\([0-9]*\).*/\1/')
            stop
            wait $follower
            echo "ended $?"
            serve
            transfer 2
            follow again view bank balance -f --json --from $at
            tells again '"at"'
            cat again
            stop
        ]])
        assert.matches('^ended 7\n', done.out)
        assert.matches('"amount":"3.00"', done.out)
        assert.is_nil(done.out:find('reset', 1, true))
    end)
end)

describe('slow and many subscribers', function()
    it('that are stopped slow nobody, and see the newest', function()
        local done = script([[
            bank
            serve
            follow told view bank balance -f --json
            tells told '"at"'
            kill -STOP $follower
            i=0
            while [ $i -lt 400 ]; do
                echo '{"from":"alice","to":"bob","amount":"0.01"}'
                i=$((i + 1))
            done >lines
            # One call after the other: each is a change of its own.
            while read -r l; do echo "$l"; done <lines |
                "$ATE" call bank transfer --jsonl - >/dev/null ||
                fail 'they were not written'
            kill -CONT $follower
            tells told '"amount":"4.00"'
            stop
            wc -l <told
        ]])
        assert.is_true(tonumber(done.out) < 820)
    end)

    it('are a hundred, in one process and in many', function()
        write_lua('many.lua', [[
local folder = assert(ate.open())
local bank = folder:chain('bank')
local done = 0
for i = 1, 100 do
    folder:spawn(function()
        for change in bank:follow('view', 'balance') do
            if change.put ~= nil and change.put.account == 'bob'
                and change.put.amount == '0.05' then
                done = done + 1
                return
            end
        end
    end)
end
print('ready')
io.stdout:flush()
folder:wait()
print(done .. ' were told')
]])
        local done = script([[
            bank
            serve
            followers=
            i=0
            while [ $i -lt 10 ]; do
                follow told$i run many.lua
                followers="$followers $follower"
                tells told$i ready
                i=$((i + 1))
            done
            for i in 1 2 3 4 5; do transfer 0.01; done
            for pid in $followers; do
                wait $pid || fail "it ended with $?: $(cat follow.err)"
            done
            cat told*
            stop
        ]])
        local _, count = done.out:gsub('100 were told\n', '')
        assert.equal(10, count)
    end)
end)

describe('ate run', function()
    it('gives a script its arguments, chains and a data folder', function()
        run.bank()
        write_lua('lib.lua', 'return {name = "bank"}')
        write_lua('s.lua', [[
local lib = require('lib')
local bank = assert(ate.open()):chain(lib.name)
print(arg[0], arg[1], arg[2], ...)
print(bank:get('account', 'alice').owner, select('#', ...))
return 5
]])
        local done = run.shell('"$ATE" run s.lua --json -x; echo $?')
        assert.equal('s.lua\t--json\t-x\t--json\t-x\nme\t2\n5\n', done.out)
        assert.equal('', done.err)
        done = run.shell('env -u ATE_DATA "$ATE" run --data data s.lua; echo $?')
        assert.matches('\nme\t0\n5\n', done.out)
        done = run.shell('"$ATE" run - a <s.lua')
        assert.matches('^%-\ta\tnil\ta\n', done.out)
    end)

    -- The system keeps one byte of it: 256 would be success.
    it('ends with the number that it returns, or tells what that is', function()
        for returned, code in pairs({['0'] = 0, ['7'] = 7, ['255'] = 255,
            ['nil'] = 0}) do
            run.write(run.dir .. '/s.lua', 'return ' .. returned)
            assert.equal(code, run.ate('run', run.dir .. '/s.lua').code)
        end
        for returned, told in pairs({['256'] = '256', ['-1'] = '%-1',
            ['1.5'] = '1.5', ['0/0'] = 'nan', ['true'] = 'a boolean'}) do
            run.write(run.dir .. '/s.lua', 'return ' .. returned)
            run.fails(1, 'run: the script returned %-?' .. told .. '; an exit '
                .. 'code is a whole number from 0 to 255', 'run',
                run.dir .. '/s.lua')
        end
    end)

    it('says what went wrong, and where', function()
        run.bank()
        local cases = {
            {"error('no')", 1, 'ate: s.lua:2: no\nstack traceback:\n'},
            {'x(', 1, 'ate: s.lua:2: unexpected symbol'},
            {'local a = nil; print(a.b)', 1, 'ate: s.lua:2: attempt to index'},
            {"assert(ate.open():chain('bank'):transfer{from = 'alice', "
                .. "to = 'bob', amount = '500'})", 6,
                'ate: bank transfer: too_deep: alice would hold %-500.00\n'},
            {"assert(ate.open():chain('bnk'):info())", 3,
                "ate: bnk: no chain 'bnk'; did you mean 'bank'"},
            {"for _ in ate.open():chain('bank'):follow('view', 'x') do end", 3,
                "no view 'x'"},
            {"ate.open{dta = 'x'}", 1, 'ate.open has no option "dta"'},
            {"assert(ate.open{data = 'nowhere'})", 3,
                'ate: no data folder at nowhere; create = true makes one'},
            {"ate.open():chain('bank'):view('balance', nil, {limt = 1})", 1,
                'no option "limt" here'},
            {"ate.open():chain('bank'):follow('vew', 'x')", 1,
                'no read "vew"'},
        }
        for _, case in ipairs(cases) do
            write_lua('s.lua', case[1])
            local done = run.shell('"$ATE" run s.lua')
            assert(done.err:match(case[3]), ('%s: %s'):format(case[1],
                done.err))
            assert.equal(case[2], done.code, case[1])
        end
        run.fails(3, 'no file nowhere.lua', 'run', 'nowhere.lua')
        run.fails(2, 'is a folder, no script', 'run', run.dir)
        run.fails(2, 'FILE is missing', 'run')
        run.fails(2, 'unknown option', 'run', '--nothing', 'x.lua')
    end)

    it('ends at Ctrl-C, and what waits says so', function()
        local done = script([[
            bank
            cat >s.lua <<'END'
local bank = require('ate').open():chain('bank')
for change in bank:follow('view', 'balance') do
    print('position', change.at)
    io.stdout:flush()
end
END
            follow told run s.lua
            tells told position
            kill -INT $follower
            wait $follower
            echo "ended $?"
            cat follow.err
        ]])
        assert.matches('^ended 130\nate: view: canceled\n$', done.out)
    end)

    it('is what a plain luajit gets from ate.so', function()
        run.bank()
        run.write(run.dir .. '/s.lua', [[
package.cpath = arg[1] .. '/?.so;' .. package.cpath
local ate = require('ate')
local bank = assert(ate.open()):chain('bank')
print(bank.transfer{from = 'alice', to = 'bob', amount = 2}.result ~= nil)
print(bank:view('balance', {account = 'bob'})[1].amount)
]])
        local build = os.getenv('ATE_BUILD') or run.root .. '/build'
        local done = run.shell('luajit s.lua ' .. run.quote(build))
        assert.equal('true\n2.00\n', done.out, done.err)
    end)
end)
