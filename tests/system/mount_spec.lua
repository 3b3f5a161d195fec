--- ate mount: real tools of a shell at a real mount.
local mounting = require('mount_helper')
local run = require('helper')

local script = mounting.script

before_each(run.begin)
after_each(run.finish)

if run.left_out('fuse', describe, it) then
    return
end

describe('a mount', function()
    it('lists what exists', function()
        script([[
            bank || fail bank
            mounts
            says bank ls m
            says "accounts
events.jsonl
methods
types
views" ls m/bank
            says "alice
bob" ls m/bank/accounts
            says "alice.json
bob.json" ls m/bank/types/account
            "$ATE" call bank account.put name=carol owner=me >/dev/null
            await eval '[ -e m/bank/accounts/carol ] &&
                ls m/bank/accounts | grep -q carol'
            says "m/bank/accounts/alice/transfer
m/bank/accounts/bob/transfer
m/bank/accounts/carol/transfer" find m/bank/accounts -type f
            stop
        ]])
    end)

    it('belongs to who mounts, and to nobody else', function()
        script([[
            bank || fail bank
            mounts
            mine="$(id -u) $(id -g)"
            for path in m m/bank $transfer m/bank/events.jsonl; do
                says "$mine" stat -c '%u %g' $path
            done
            chown "$(id -u):$(id -g)" $transfer || fail "chown: $?"
            refuses 'Operation not permitted' chown "$(($(id -u) + 1))" \
                $transfer
            refuses 'Operation not permitted' chgrp "$(($(id -g) + 1))" \
                $transfer
            says "$mine" stat -c '%u %g' $transfer
            stop
        ]])
    end)

    it('takes a line as a call, and fails the write that is refused', function()
        script([[
            bank || fail bank
            mounts
            echo 'to=bob amount=12.50' >$transfer || fail "echo: $?"
            says "account,amount
alice,-12.50
bob,12.50" cat m/bank/views/balance.csv
            says '"-12.50"' jq -s '.[0].amount' m/bank/views/balance.jsonl
            refuses 'Operation not permitted' bash -c \
                "echo 'to=bob amount=500' >$transfer"
            says too_deep jq -r .error.rule $transfer.reply
            refuses 'Invalid argument' bash -c "echo 'to=bob' >$transfer"
            refuses 'Invalid argument' bash -c "echo 'nonsense' >$transfer"
            refuses 'Permission denied' bash -c \
                "echo x >m/bank/views/balance.csv"
            printf '{"to": "bob",\n "amount": "1.00"}' >$transfer ||
                fail "printf: $?"
            says '-13.50' sh -c \
                "grep alice m/bank/views/balance.csv | cut -d, -f2"
            for i in 1 2 3; do echo 'to=bob amount=0.01'; done >lines
            cp lines $transfer || fail "cp: $?"
            tee $transfer <lines >/dev/null || fail "tee: $?"
            grep -q '^alice,-13.56$' m/bank/views/balance.csv ||
                fail "$(cat m/bank/views/balance.csv)"
            stop
        ]])
    end)

    -- What a script writes into a file that is none has to fail, as a call
    -- would: it is a method's name, mistaken.
    it('makes no file where only calls are', function()
        script([[
            bank || fail bank
            mounts
            for file in m/bank/accounts/alice/tranfer m/bank/accounts/carol \
                    m/bank/methods/transfr m/bank/transfer \
                    m/bank/types/transfer/9.0.json; do
                refuses 'No such file' bash -c "echo 'to=bob amount=1' >$file"
            done
            echo to=bob amount=1 >call
            refuses 'No such file' cp call m/bank/accounts/alice/tranfer
            echo x >m/bank/types/account/scratch || fail "scratch: $?"
            echo x >m/bank/accounts/alice/transfer~ || fail "backup: $?"
            vim -es -c '$s/.*/to=bob amount=2/' -c wq $transfer ||
                fail "vim: $?"
            says bob,2.00 grep bob m/bank/views/balance.csv
            stop
        ]])
    end)

    it('says how a method is called that takes nothing more', function()
        script([[
            cat >door.lua <<'E'
local ate = require('ate')
local t = ate.types
local door = ate.schema('door', {doc = 'A door.', version = 1})
door:object('bell', {doc = 'A bell.', key = {'name'},
    header = {name = t.name(), rung = t.default(t.integer(), 0)}})
door:method('ring', {doc = 'Ring it.', mode = 'write',
    args = {bell = t.ref('bell')}, file = 'bells/{bell}/ring',
    run = function(ctx, args)
        local bell = ctx:get('bell', args.bell)
        ctx:patch('bell', args.bell, {rung = bell.rung + 1})
    end})
return door
E
            "$ATE" chain create door --schema door.lua \
                --accept accept-all,serializer,structured-logic \
                >/dev/null 2>&1 || fail create
            "$ATE" call door bell.put name=a >/dev/null || fail put
            mounts
            says '# ring: Ring it.
# One line written here is one call: key=value words, or a JSON object.
# Nothing more has to be said: {} is a call.' cat m/door/bells/a/ring
            echo '{}' >m/door/bells/a/ring || fail "ring: $?"
            says 1 jq .rung m/door/types/bell/a.json
            stop
        ]])
    end)

    it('gives the reply to the descriptor that called', function()
        local done = script([[
            bank || fail bank
            mounts
            bash -c "exec 4<>$transfer
                echo 'to=bob amount=1' >&4
                jq -r '.method + \" \" + .result' <&4
                echo 'to=bob amount=900' >&4 2>/dev/null
                jq -r .error.text <&4" || fail "bash: $?"
            says "bob" bash -c "exec 4<>m/bank/methods/account.get
                echo 'name=bob' >&4; jq -r .result.name <&4"
            stop
        ]])
        assert.is_truthy(done.out:match('^transfer %d+%.0\ntoo_deep: alice '
            .. 'would hold %-901.00\n'), done.out)
    end)

    it('names the field whose bytes are no text', function()
        script([[
            wiki && bank || fail chains
            mounts
            echo one >$page || fail "echo: $?"
            printf 'ab\377\n' >bad
            refuses 'Invalid argument' dd if=bad of=$page bs=64 conv=notrunc
            says INVALID jq -r .error.code $page.reply
            says "'text' is text, and no UTF-8 from its byte 2 on" \
                jq -r .error.text $page.reply
            says one cat $page
            refuses 'Invalid argument' bash -c \
                "printf 'to=b\\377b amount=1\n' >$transfer"
            says "'to' is text, and no UTF-8 from its byte 1 on" \
                jq -r .error.text $transfer.reply
            stop
        ]])
    end)

    it('tells beside a method that too much was written', function()
        script([[
            bank || fail bank
            mounts
            echo 'to=bob amount=1' >$transfer || fail "echo: $?"
            refuses 'Argument list too long' dd if=/dev/zero of=$transfer \
                bs=1M count=20
            says 'one call has at most 16 MiB' jq -r .error.text $transfer.reply
            stop
        ]])
    end)

    it('takes all of a file, where its path says the rest', function()
        run.write(run.dir .. '/words.lua', mounting.WORDS)
        script([[
            words || fail words
            mounts
            echo hello >m/words/say/a || fail "echo: $?"
            says '"hello\n"' jq .body $word/a.json
            refuses 'Invalid argument' bash -c "echo hello >m/words/tell"
            echo 'name=b body=hello' >m/words/tell || fail "echo: $?"
            says hello jq -r .body $word/b.json
            stop
        ]])
    end)

    it('tells who writes an old version', function()
        script([[
            wiki || fail wiki
            mounts
            echo one >$page || fail "echo: $?"
            cat >old.py <<'PY'
import os, sys
a = os.open(sys.argv[1], os.O_RDWR)
os.write(a, b'ONE')
with open(sys.argv[1], 'w') as other:
    other.write('two\n')
try:
    os.fsync(a)
except OSError as e:
    print(os.strerror(e.errno))
try:
    os.close(a)
except OSError as e:
    print(os.strerror(e.errno))
with open(sys.argv[1]) as last:
    print(last.read(), end='')
PY
            says "Stale file handle
Stale file handle
two" python3 old.py $page
            stop
        ]])
    end)

    it('grows events.jsonl under tail -f, and has watch in no list', function()
        script([[
            bank || fail bank
            mounts
            timeout 20 tail -n 1 -f m/bank/events.jsonl >tailed &
            tail=$!
            timeout 20 head -n 1 m/bank/types/account/watch >watched &
            watch=$!
            await test -s tailed
            # Until the reader of watch has opened it, nothing is kept for it.
            i=0
            another() {
                i=$((i + 1))
                echo '{"owner": "me"}' >m/bank/types/account/c$i.json
                [ -s watched ]
            }
            await another
            wait $watch
            says '"account"' jq '.events[0].type' watched
            await eval 'grep -q account.put tailed && [ $(wc -l <tailed) -ge 2 ]'
            kill $tail
            wait $tail 2>/dev/null
            jq -s length tailed >/dev/null || fail "tail tore a line"
            [ "$(wc -c <m/bank/events.jsonl)" = \
                "$(stat -c %s m/bank/events.jsonl)" ] || fail "size"
            timeout 30 grep -r alice m >/dev/null || fail "grep -r: $?"
            "$ATE" chain tail bank -n 100 --json >all
            cmp all m/bank/events.jsonl || fail "events.jsonl is not tail"
            stop
        ]])
    end)

    -- More than the blocks that are kept of it, in one read.
    it('gives a megabyte of events.jsonl at a time', function()
        script([[
            bank || fail bank
            seq 3000 | sed "s/.*/{\"name\":\"c&\",\"owner\":\"me\"}/" >calls
            "$ATE" call bank account.put --jsonl calls >/dev/null ||
                fail calls
            mounts
            cat m/bank/events.jsonl >all
            [ "$(wc -c <all)" -gt 700000 ] || fail "$(wc -c <all) bytes"
            timeout 20 dd if=m/bank/events.jsonl of=piece bs=1M count=1 \
                2>/dev/null || fail "dd: $?"
            [ "$(wc -c <piece)" -gt 700000 ] || fail "$(wc -c <piece) bytes"
            cmp -n "$(wc -c <piece)" piece all || fail 'another piece'
            stop
        ]])
    end)

    -- An INTERRUPT may be taken before the request that it is about.
    it('hears readers that are interrupted all the time', function()
        script([[
            bank || fail bank
            mounts
            cat >interrupted.py <<'PY'
import os, signal, sys, time
heard = 0
def hear(number, frame):
    global heard
    heard += 1
    if time.monotonic() > end:
        os._exit(0 if heard > 100 else 1)
end = time.monotonic() + 1
fd = os.open(sys.argv[1], os.O_RDONLY)
signal.signal(signal.SIGALRM, hear)
signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
os.read(fd, 4096)
PY
            readers=
            for i in 1 2 3; do
                timeout 20 python3 interrupted.py m/bank/watch &
                readers="$readers $!"
            done
            for reader in $readers; do
                wait $reader || fail "a reader ended with $?"
            done
            stop
        ]])
    end)

    it('survives its daemon: the mount point is usable again', function()
        script([[
            bank || fail bank
            mounts
            says bank ls m
            exec 5<m/bank/views/balance.csv
            kill -KILL $daemon
            wait $daemon 2>/dev/null
            unmounted
            exec 5<&-
            mounts
            says bank ls m
            stop
        ]])
    end)

    it('has another guard when one was killed, and ends in order', function()
        script([[
            bank || fail bank
            mounts
            guard=$(pgrep -P $daemon) || fail "there is none"
            # Who kills all that is called like us does not mean it.
            says unmounts cat "/proc/$guard/comm"
            kill -KILL "$guard"
            another() {
                now=$(pgrep -P $daemon) && [ "$now" != "$guard" ]
            }
            await another
            kill -KILL $daemon
            wait $daemon 2>/dev/null
            unmounted
            rmdir m || fail "rmdir: $?"
            mounts
            kill -STOP $daemon
            kill -KILL "$(pgrep -P $daemon)"
            kill -TERM $daemon
            kill -CONT $daemon
            wait $daemon || fail "ended with $?: $(cat mount.err)"
            refuses 'No such file' ls m
        ]])
    end)

    it('can be unmounted by others, with files open', function()
        script([[
            bank || fail bank
            mounts
            exec 5<m/bank/views/balance.csv
            if umount m 2>/dev/null; then fail "it is busy"; fi
            says bank ls m
            exec 6>m/bank/accounts/alice/transfer
            printf 'to=bob ' >&6
            stop
            refuses '' sh -c 'printf "amount=1\n" >&6'
            says '' sh -c "'$ATE' view bank balance -o csv | sed 1d"
            exec 5<&- 6>&-
            mounts
            umount m || fail "umount: $?"
            wait $daemon || fail "ended with $?: $(cat mount.err)"
        ]])
    end)

    it('shows why a damaged chain is', function()
        script([[
            bank || fail bank
            path=$("$ATE" chain path bank)
            "$ATE" dev flip-byte "$path" >/dev/null
            mounts
            ls m/bank >/dev/null || fail "ls: $?"
            grep -q 'checksum' m/bank/damaged.txt ||
                fail "$(cat m/bank/damaged.txt)"
            refuses 'Input/output error' bash -c \
                "echo 'to=bob amount=1' >m/bank/methods/transfer"
            stop
        ]])
    end)

    it('shows beside a file why its method failed, until it does no more',
        function()
        run.write(run.dir .. '/share.lua', [[
local ate = require('ate')
local t = ate.types
local share = ate.schema('share', {doc = 'Shares.', version = 1})
share:object('pot', {
    doc = 'A pot.', key = {'name'},
    header = {name = t.name({max = 40}), heads = t.integer()},
})
share:method('each', {
    doc = 'What each gets.', mode = 'read', args = {pot = t.ref('pot')},
    returns = t.integer(), file = 'pots/{pot}/each',
    run = function(ctx, args)
        assert(ctx:get('pot', args.pot).heads > 0, 'nobody is there')
        return 100 / ctx:get('pot', args.pot).heads
    end,
})
return share
]])
        script([[
            "$ATE" chain create share --schema share.lua 2>/dev/null >made &&
                "$ATE" call share pot.put name=tea heads=0 >made || fail share
            mounts
            each=m/share/pots/tea/each
            refuses 'Input/output error' cat $each
            grep -q '"code":"SCRIPT".*nobody is there' $each.reply ||
                fail "$(cat $each.reply)"
            says SCRIPT jq -r .error.code $each.reply
            echo heads=4 name=tea >m/share/methods/pot.put
            says 25 cat $each
            await [ ! -e $each.reply ]
            says each ls m/share/pots/tea
            stop
        ]])
    end)

    it('goes through a daemon, and outlives it without hanging', function()
        script([[
            bank || fail bank
            rm -f up
            mkfifo up
            "$ATE" serve >up 2>>serve.err &
            server=$!
            children="$children $server"
            exec 4<up
            read -r line <&4 || fail "serve: $(cat serve.err)"
            mounts --deadline 2000
            echo 'to=bob amount=1' >$transfer || fail "echo: $?"
            kill -STOP $server
            timeout 20 bash -c "echo 'to=bob amount=1' >$transfer" 2>said &&
                fail "a stopped daemon answered"
            [ $? -ne 124 ] || fail "it hung"
            kill -CONT $server
            kill -TERM $server
            wait $server
            timeout 20 bash -c "echo 'to=bob amount=1' >$transfer" 2>said &&
                fail "no daemon answered"
            stop
        ]])
    end)

    it('is refused where it would hide files', function()
        run.bank()
        run.shell('mkdir m && echo x >m/x')
        run.fails(2, 'there are files in it', 'mount', run.dir .. '/m')
        run.fails(2, 'is a file', 'mount', run.dir .. '/m/x')
    end)

    it('makes the last folder of its path, and takes that away', function()
        run.fails(3, 'there is no folder to make it in', 'mount',
            run.dir .. '/not/there')
        script([[
            [ ! -e not ] || fail "it made a folder above"
            bank || fail bank
            mounts
            says bank ls m
            stop
            [ ! -e m ] || fail "it is still there"
            mkdir m
            mounts
            stop
            [ -d m ] || fail "it took what it had not made"
            cat >ate.conf.lua <<'LUA'
return {mount = 'not/there'}
LUA
            refuses 'there is no folder to make it in' "$ATE" serve \
                --config ate.conf.lua
            [ ! -e not ] || fail "it made a folder above"
        ]])
    end)

    it('is made by ate serve, too', function()
        script([[
            bank || fail bank
            rm -f ready
            mkfifo ready
            "$ATE" serve --mount m --as bob >ready 2>>mount.err &
            daemon=$!
            children="$children $daemon"
            exec 3<ready
            read -r line <&3 || fail "serve said nothing: $(cat mount.err)"
            exec 3<&-
            refuses 'Operation not permitted' bash -c \
                "echo 'to=bob amount=1' >$transfer"
            echo 'to=alice amount=1' >m/bank/accounts/bob/transfer ||
                fail "bob: $?"
            "$ATE" call bank transfer from=alice to=bob amount=1 >/dev/null
            stop
        ]])
    end)
end)
