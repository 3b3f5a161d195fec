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
        local done = run.shell([[
            mkdir tmp && export TMPDIR="$PWD/tmp"
            see() { # wait until the log has a line like that
                i=0
                until grep -q "$1" log 2>/dev/null || [ $i -gt 600 ]; do
                    i=$((i + 1))
                    sleep 0.05
                done
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
