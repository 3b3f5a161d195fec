--- Signals and what they end: Lua of authors, chains that are being opened.
local run = require('helper')

before_each(run.begin)
after_each(run.finish)

--- Run a command until `told` has a line, send a signal, and wait for its end.
-- @treturn table of shell(): stdout is the code and what was told
local function interrupted(command, signal, line)
    return run.shell(run.PRELUDE .. ([[
        mkfifo told
        env --default-signal=INT,TERM "$ATE" %s >out 2>told &
        pid=$!
        children=$pid
        exec 3<told
        until [ "${line-}" = '%s' ]; do
            read -r line <&3 || fail "it ended: $(cat out)"
        done
        kill -%s $pid
        wait $pid
        echo "exit $?"
        cat out
        cat <&3
    ]]):format(command, line, signal))
end

local LOOP = [[
local folder = assert(require('ate').open({data = 'data', create = true}))
print('kept ' .. tostring(folder))
io.stderr:write('begins\n')
while true do end
]]

local TESTS = [[
local test = require('ate.test')
test.schema('ate:ledger')
test.it('is quick', function() end)
test.it('computes', function(t)
    t:user('bob')
    io.stderr:write('begins\n')
    %s
end)
test.it('is not begun', function()
    io.stderr:write('never\n')
end)
]]

-- Writes, and ends by itself when nobody told it of a signal.
local WRITES = [[
for i = 1, 5000 do
    %s
    if i == %d then io.stderr:write('begins\n') end
end
]]

local SCHEMA = [[
local ate = require('ate')
local lab = ate.schema('lab', {doc = 'A lab.', version = 1})
lab:object('note', {
    doc = 'A note.', key = {'name'},
    header = {name = ate.types.name({max = 40})},
})
return lab
]]

describe('a signal', function()
    it('ends a script that computes, and keeps what it printed', function()
        run.write(run.dir .. '/loop.lua', LOOP)
        for _, signal in ipairs({'INT', 'TERM'}) do
            local done = interrupted('run loop.lua', signal, 'begins')
            assert.matches('^exit 130\nkept data folder data\n', done.out)
            assert.matches('\nate: run: interrupted\n.*\n\tloop.lua:4: in ', done.out)
        end
    end)

    it('ends a script that waits to read, the first time', function()
        run.shell('mkfifo nobody silent')
        for _, body in ipairs({'io.read()', 'io.stdin:read(4)',
            'for _ in io.lines() do end', 'for _ in io.stdin:lines() do end',
            'coroutine.wrap(function() io.read("*a") end)()',
            'io.open("silent")', 'for _ in io.lines("nobody") do end'}) do
            run.write(run.dir .. '/reads.lua',
                "io.stderr:write('begins\\n')\n" .. body)
            for _, signal in ipairs({'INT', 'TERM'}) do
                -- What it holds open for writing has nothing to say.
                local done = interrupted('run reads.lua <>nobody', signal,
                    'begins')
                assert.matches('^exit 130\nate: run: interrupted\n', done.out)
                assert.matches('\n\treads.lua:2: in ', done.out)
            end
        end
    end)

    it('ends a line of the REPL that waits to read, the first time', function()
        run.bank()
        run.write(run.dir .. '/lines', "io.stderr:write('begins\\n') "
            .. "io.read()\nio.stderr:write('never\\n')\n")
        for _, command in ipairs({'cat lines - <>nobody', 'echo "\\\\i lines"; '
            .. 'cat <>nobody'}) do
            local done = run.shell(run.PRELUDE .. ([[
                mkfifo nobody typed told
                { %s; } >typed &
                feeder=$!
                env --default-signal=INT "$ATE" repl <typed >out 2>told &
                pid=$!
                children="$pid $feeder"
                exec 3<told
                until [ "${line-}" = begins ]; do
                    read -r line <&3 || fail "it ended: $(cat out)"
                done
                kill -INT $pid
                wait $pid
                echo "exit $?"
                cat <&3
            ]]):format(command))
            assert.equal('exit 130\nate: interrupted\n', done.out, done.err)
            run.shell('rm nobody typed told')
        end
    end)

    it('ends a script that waits, which Ctrl-C lets go on', function()
        run.bank()
        run.write(run.dir .. '/wait.lua', [[
local bank = require('ate').open():chain('bank')
local ok, raised = pcall(function()
    for _ in bank:follow('view', 'balance') do
        io.stderr:write('begins\n')
    end
end)
print('goes on', ok, type(raised) == 'table' and raised.code or raised)]])
        local done = interrupted('run wait.lua', 'INT', 'begins')
        -- Not waiting yet, it is ended where it stands.
        assert(done.out == 'exit 0\ngoes on\tfalse\tCANCELED\n' or
            done.out:match('^exit 0\ngoes on\tfalse\t[^\n]*interrupted\n$'),
            done.out)
        run.write(run.dir .. '/poll.lua', [[
local bank = require('ate').open():chain('bank')
io.stderr:write('begins\n')
while true do bank:view('balance') end]])
        done = interrupted('run poll.lua', 'TERM', 'begins')
        assert.matches('^exit 130\nate: run: interrupted\n.*\n\tpoll.lua:3: in ',
            done.out)
        assert.not_matches('lua/client', done.out)
    end)

    it('ends a module of a script, which would be compiled', function()
        run.write(run.dir .. '/far.lua', [[return function()
            local n = 0
            for i = 1, math.huge do
                n = n + i
                if i == 1e6 then io.stderr:write('begins\n') end
            end
        end]])
        run.write(run.dir .. '/near.lua', "require('far')()")
        local done = interrupted('run near.lua', 'INT', 'begins')
        assert.matches('^exit 130\nate: run: interrupted\n.*\n\t./far.lua:%d+: in ',
            done.out)
        assert.not_matches('interrupts.lua', done.out)
    end)

    it('ends ate test, which tells of no difference', function()
        for _, body in ipairs({'while true do end',
            'while true do t:user("bob"):list("account") end',
            'pcall(function() while true do end end)'}) do
            run.write(run.dir .. '/x_test.lua', TESTS:format(body))
            for _, signal in ipairs({'INT', 'TERM'}) do
                local done = interrupted('test x_test.lua', signal, 'begins')
                assert.matches('^exit 130\nok    is quick ', done.out)
                assert.matches('\nate: test: interrupted in "computes"; '
                    .. '1 passed, 0 failed before\n$', done.out)
                assert.not_matches('never', done.out)
                assert.not_matches('FAIL', done.out)
            end
        end
    end)

    it('ends a script that writes, though its write was done', function()
        run.write(run.dir .. '/lab.lua', SCHEMA)
        run.ok('chain', 'create', 'lab', '--schema', 'lab.lua')
        for count = 1, 40, 3 do
            run.write(run.dir .. '/writes.lua',
                "local lab = require('ate').open():chain('lab')\n"
                .. WRITES:format('assert(lab.note.put({name = "x" .. i % 10}))',
                    count))
            local done = interrupted('run writes.lua', 'INT', 'begins')
            -- A write that it came before is canceled.
            assert(done.out:match('^exit 130\n.*interrupted') or
                done.out:match('^exit 130\nate: lab note.put: canceled\n$'),
                done.out)
        end
    end)

    it('ends a script whose tasks write', function()
        run.write(run.dir .. '/lab.lua', SCHEMA)
        run.ok('chain', 'create', 'lab', '--schema', 'lab.lua')
        for _, wait in ipairs({'folder:wait()',
            'while true do folder:step(-1) end'}) do
            for count = 1, 12, 3 do
                run.write(run.dir .. '/tasks.lua', ([[
local folder = require('ate').open()
local lab = folder:chain('lab')
for task = 1, 3 do
    folder:spawn(function()
        %s
    end)
end
%s]]):format(WRITES:format('assert(lab.note.put({name = "x" .. task}))',
                    count), wait))
                local done = interrupted('run tasks.lua', 'INT', 'begins')
                assert.matches('^exit 130\n', done.out)
            end
        end
    end)

    it('ends a script that does not look at what was canceled', function()
        run.bank()
        for _, ahead in ipairs({'', "local rows = folder:chain('bank')"
            .. ":follow('view', 'balance')\n"}) do
            run.write(run.dir .. '/idle.lua', "local folder = require('ate')"
                .. '.open()\n' .. ahead .. [[
io.stderr:write('begins\n')
for _ = 1, 300 do folder:step(100) end
]])
            local done = interrupted('run idle.lua', 'INT', 'begins')
            assert.matches('^exit 130\nate: run: interrupted\n', done.out)
        end
    end)

    it('ends a line of a piped REPL that writes, and what follows', function()
        run.write(run.dir .. '/lab.lua', SCHEMA)
        run.ok('chain', 'create', 'lab', '--schema', 'lab.lua')
        for count = 1, 16, 3 do
            run.write(run.dir .. '/in', (WRITES:gsub('\n', ' ')):format(
                'assert(note.put({name = "x" .. i % 10}))', count)
                .. "\nio.stderr:write('never\\n')\n")
            local done = interrupted('repl lab <in', 'INT', 'begins')
            -- A write that it came before is canceled.
            assert(done.out:match('^exit 130\n') and
                (done.out:match('\nate: [^\n]*interrupted\n$') or
                done.out:match('\nate: lab note.put: canceled\n$')), done.out)
            assert.not_matches('never', done.out)
        end
    end)

    it('ends tests that write', function()
        run.write(run.dir .. '/lab.lua', SCHEMA)
        for count = 1, 40, 3 do
            run.write(run.dir .. '/x_test.lua', ([[
local test = require('ate.test')
test.schema('lab.lua')
test.it('writes', function(t)
    local me = t:user('me')
    %s
    io.stderr:write('never\n')
end)]]):format(WRITES:format(
                'me:call("note.put", {name = "x" .. i % 10})', count)))
            local done = interrupted('test x_test.lua', 'INT', 'begins')
            assert.matches('^exit 130\n', done.out)
            assert.matches('ate: test: interrupted in "writes"; 0 passed, '
                .. '0 failed before\n$', done.out)
            assert.not_matches('never', done.out)
        end
    end)

    it('ends a file of tests that computes before the first', function()
        run.write(run.dir .. '/x_test.lua',
            "io.stderr:write('begins\\n') while true do end")
        local done = interrupted('test x_test.lua', 'INT', 'begins')
        assert.equal('exit 130\nate: test: x_test.lua: interrupted\n',
            done.out)
    end)

    it('at any moment ends the tests, or comes behind them', function()
        local done = run.script(run.PRELUDE .. [[
            for ms in 040 080 120 160 200 250 300 400; do
                env --default-signal=INT \
                    timeout --foreground -s INT 0.$ms "$ATE" test ate:ledger >out 2>err
                grep -h -e DIFFERS -e FAIL out && fail "after 0.$ms s"
                grep -q -e interrupted -e '^ate: ' err ||
                    grep -q ' 0 failed' out || [ ! -s out ] ||
                    fail "after 0.$ms s: $(cat out err)"
            done
        ]])
        assert.equal('', done.err)
    end)
end)

describe('a chain that is being opened', function()
    it('is named when a signal ends that', function()
        run.write(run.dir .. '/slow.lua', [[
local ate = require('ate')
local slow = ate.schema('slow', {doc = 'Slow.', version = 1})
slow:event('tick', {doc = 'A tick.', header = {n = ate.types.integer()}})
slow:rule('long', {
    doc = 'Takes its time.', on = {'tick'},
    check = function(_, tick)
        local n = 0
        for i = 1, 100000 do
            n = n + i
        end
        return n > tick.n
    end,
})
return slow
]])
        local done = run.script(run.PRELUDE .. [[
            "$ATE" chain create slow --schema slow.lua \
                --accept accept-all,serializer,structured-logic 2>/dev/null
            i=0
            while [ $i -lt 1200 ]; do
                echo "{\"n\":$i}"
                i=$((i + 1))
            done | "$ATE" call slow tick.append --jsonl - >/dev/null
            find "$ATE_DATA" -name snapshot -delete # what would open fast
            for words in 'view slow x' 'chain info slow'; do
                env --default-signal=INT "$ATE" $words &
                pid=$!
                await eval "ls -l /proc/$pid/fd | grep -q 1.head"
                kill -INT $pid
                wait $pid
                echo "exit $?" >&2
            done
        ]])
        assert.equal('ate: view: interrupted while chain slow was being '
            .. 'opened\nexit 130\nate: chain info: interrupted while chain '
            .. 'slow was being opened\nexit 130\n', done.err)
    end)
end)
