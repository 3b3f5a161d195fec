--- tools/tour.sh, the end of `make run`: a folder at every door, and no trace
-- of that afterwards.
local run = require('helper')

before_each(function()
    run.begin()
    run.bank()
end)
after_each(run.finish)

local TOUR = run.quote(run.root .. '/tools/tour.sh')
    .. ' %s "$ATE_DATA" bank balance account=bob'

--- Run the tour in a TMPDIR of its own, by a program in place of ate.
local function tour(ate)
    return run.shell('mkdir tmp && export TMPDIR="$PWD/tmp" && '
        .. TOUR:format(ate))
end

--- The daemon has ended and what it needed is gone.
local function assert_gone()
    local left = run.shell('find tmp -mindepth 1; ls "$ATE_DATA"')
    assert.is_nil(left.out:find('tmp/', 1, true), left.out)
    assert.is_nil(left.out:find('socket', 1, true), left.out)
    assert.equal('bank', run.json('chain', 'ls')[1].name)
end

--- An ate whose serve refuses an option.
local function without(option)
    run.write(run.dir .. '/less', ([[#!/bin/sh
case "$*" in
serve*%s*) echo "ate: serve: no %s here" >&2; exit 7 ;;
esac
exec "$ATE" "$@"
]]):format(option, option))
    run.shell('chmod +x less')
    return './less'
end

describe('the tour', function()
    it('asks at every door that is there', function()
        local has_rest = not run.is_without('rest')
        local has_mount = not run.is_without('fuse')
        local done = tour('"$ATE"')
        assert.equal(0, done.code, done.err)
        assert.matches('\nready  ' .. run.data:gsub('%p', '%%%0') .. '/socket\n',
            done.out)
        assert.equal(has_rest, done.out:match('\nrest  http://127') ~= nil)
        assert.equal(has_rest, done.out:match('\n{"items":%[') ~= nil)
        assert.equal(has_rest,
            done.out:match('\nhttp://127%S+/console/#key=%S+\n') ~= nil)
        assert.equal(has_mount, done.out:match('\nmount  /') ~= nil)
        assert.equal(has_mount, done.out:match('\naccount,amount\n') ~= nil)
        assert_gone()
    end)

    it('leaves out a door that does not open, and says why', function()
        local done = tour(without('--mount'))
        assert.equal(0, done.code, done.err)
        assert.matches('no %-%-mount here', done.err)
        assert.is_nil(done.out:match('\nmount  '))
        assert.equal(not run.is_without('rest'), done.out:match('\nrest  ') ~= nil)
        assert_gone()
    end)

    it('goes without HTTP', function()
        local done = tour(without('--rest'))
        assert.equal(0, done.code, done.err)
        assert.is_nil(done.out:match('\nrest  '))
        assert.is_nil(done.out:match('curl'))
        assert.is_nil(done.out:match('console'))
        assert_gone()
    end)

    it('fails when nothing can be served', function()
        local done = tour(without('--data'))
        assert.equal(1, done.code)
        assert.matches('no %-%-data here', done.err)
        assert_gone()
    end)

    it('has the REPL on a terminal, which Ctrl-C does not end', function()
        run.write(run.dir .. '/tour', TOUR:format('"$ATE"')
            .. '\necho ended $?\n')
        local done = run.shell(run.PRELUDE .. [[
            mkdir tmp && export TMPDIR="$PWD/tmp"
            see() { # wait until the log has a line like that
                await grep -q "$1" log
            }
            {
                see shows; printf '20 + 1\n'
                see '^21'; printf '20 +\00320 + 2\n'
                see '^22'; printf '\004'
                see '^ended'
            } | script -qefc 'exec sh ./tour' log
        ]])
        local log = run.read(run.dir .. '/log'):gsub('\r', '')
        assert.equal(0, done.code, done.err)
        assert.matches('\n21\n', log)
        assert.matches('\n22\n', log)
        assert.matches('\nended 0\n', log)
        assert_gone()
    end)
end)

--- tools/alone.sh, its beginning.
describe('a second run', function()
    --- Two of them over `work`: the first one waits until the second has ended.
    local function twice(second)
        return run.shell(run.PRELUDE .. [[
            mkdir tmp; export TMPDIR="$PWD/tmp"
            alone=]] .. run.quote(run.root .. '/tools/alone.sh') .. [[

            see() { # FILE WORD: until it is there
                await grep -q "$2" "$1"
            }
            mkfifo wait
            mkdir work; echo old >work/old
        ]] .. second)
    end

    it('is refused while the first one serves, and harms nothing', function()
        local done = twice([[
            "$alone" work sh -c 'exec 8<wait; echo kept >work/mine
                echo begun; cat <&8' >first 2>&1 &
            first=$!
            exec 7>wait
            see first begun
            ls work
            "$alone" work touch work/second
            echo "second $?"; ls work
            exec 7>&-
            wait $first; echo "first $?"
            "$alone" work true; echo "third $?"; ls work
            cat first >&2; echo $first >pid
        ]])
        assert.equal('mine\nsecond 1\nmine\nfirst 0\nthird 0\n', done.out)
        local pid = run.read(run.dir .. '/pid'):match('%d+')
        assert.equal(('make run: work is in use by process %s, which serves '
            .. 'it: end that first, by Ctrl-D in its REPL or by kill %s\n'
            .. 'begun\n'):format(pid, pid), done.err)
    end)

    it('is refused while a daemon is left of it', function()
        local done = twice([[
            rm work/old # it is no data folder's
            "$ATE" serve --data work >told 2>&1 9>&- &
            daemon=$!
            see told ready
            "$alone" work true; echo "second $?"
            "$ATE" chain ls --data work >list; echo "daemon $?"
            kill $daemon; wait $daemon
            "$alone" work true; echo "third $?"; ls work
            echo $daemon >pid
        ]])
        assert.equal('second 1\ndaemon 0\nthird 0\n', done.out)
        local pid = run.read(run.dir .. '/pid'):match('%d+')
        assert.matches('^make run: work is in use by process ' .. pid
            .. ', which serves it: .* kill ' .. pid .. '\n$', done.err)
    end)

    it('is refused while what the first one started lives', function()
        local done = twice([[
            "$alone" work sh -c '"$ATE" serve --data work >told 2>&1 &
                echo $! >daemon; kill -KILL $$' >first 2>&1
            see told ready
            "$alone" work true; echo "second $?"
            kill $(cat daemon)
            await_end "$(cat daemon)"
            "$alone" work true; echo "third $?"
        ]])
        assert.equal('second 1\nthird 0\n', done.out)
        local pid = run.read(run.dir .. '/daemon'):match('%d+')
        assert.matches('in use by process ' .. pid .. ',', done.err)
    end)
end)
