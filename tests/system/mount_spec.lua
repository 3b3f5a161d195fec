--- ate mount: real tools of a shell at a real mount.
--
-- A script starts the mount by `mounts`, which returns when it is there, and
-- ends it by `stop`. What it starts it ends, and nothing else.
local run = require('helper')

before_each(run.begin)
after_each(run.finish)

local PRELUDE = run.PRELUDE .. [[
ends_by=TERM
# mounts: mount at ./m and wait until it is there.
mounts() {
    rm -f ready
    mkfifo ready
    "$ATE" mount m "$@" >ready 2>>mount.err &
    daemon=$!
    children="$children $daemon"
    exec 3<ready
    read -r line <&3 || fail "the mount said nothing: $(cat mount.err)"
    exec 3<&-
}
# stop: end it in order; it has to end with 0 and leave nothing.
stop() {
    kill -TERM "$daemon"
    wait "$daemon"
    code=$?
    [ $code -eq 0 ] || fail "the mount ended with $code: $(cat mount.err)"
    unmounted
}
# unmounted: wait until nothing is mounted at ./m.
unmounted() {
    await eval '! mountpoint -q m && ! ls m 2>&1 | grep -q connected'
}
# says TEXT COMMAND...: its output is that text.
says() {
    want=$1
    shift
    got=$("$@" 2>&1) || fail "$*: exit $?: $got"
    [ "$got" = "$want" ] || fail "$*: '$got', not '$want'"
}
# refuses TEXT COMMAND...: it fails, and says so.
refuses() {
    want=$1
    shift
    if got=$("$@" 2>&1); then
        fail "$*: did not fail: $got"
    fi
    case $got in *"$want"*) ;; *) fail "$*: '$got', not '$want'" ;; esac
}
bank() {
    "$ATE" chain create bank --schema bank.lua \
        --accept accept-all,serializer,structured-logic >/dev/null &&
        "$ATE" key new bob >/dev/null &&
        "$ATE" call bank account.put name=alice owner=me >/dev/null &&
        "$ATE" call bank account.put name=bob owner=bob >/dev/null
}
wiki() {
    "$ATE" chain create wiki --schema tracker.lua \
        --accept accept-all,serializer,structured-logic >/dev/null 2>&1 &&
        "$ATE" call wiki project.put slug=atlas group=me >/dev/null
}
words() {
    "$ATE" chain create words --schema words.lua \
        --accept accept-all,serializer,structured-logic >/dev/null 2>&1
}
word=m/words/types/word
transfer=m/bank/accounts/alice/transfer
page=m/wiki/wiki/atlas/intro.md
]]

local WORDS = [[
local ate = require('ate')
local t = ate.types
local words = ate.schema('words', {doc = 'Words.', version = 1})
words:object('word', {
    doc = 'A word.', key = {'name'},
    header = {name = t.name({max = 40})}, body = {body = t.text()},
})
words:rule('swears', {
    doc = 'Nobody swears.', on = {'word'}, text = '{name} is no word',
    check = function(state, word)
        return word.name ~= 'damn' or ate.deny({name = word.name})
    end,
})
words:rule('stays', {
    doc = 'What is kept is never deleted.', on = {'word'},
    text = '{name} is kept',
    check = function(state, word)
        return word.change ~= 'delete' or word.name ~= 'kept'
            or ate.deny({name = word.name})
    end,
})
words:method('say', {
    doc = 'Add a word.', mode = 'write', args = t.fields('word'),
    content = 'body', file = 'say/{name}',
    run = function(ctx, args) return ctx:put('word', args) end,
})
words:method('tell', {
    doc = 'Add a word.', mode = 'write', args = t.fields('word'),
    content = 'body', file = 'tell',
    run = function(ctx, args) return ctx:put('word', args) end,
})
return words
]]

--- Run a script; it has to end with 0.
local function script(text)
    run.bank_schema()
    run.write(run.dir .. '/tracker.lua',
        run.read(run.root .. '/tests/lua/schemas/tracker.lua'))
    return run.script(PRELUDE .. text)
end

if run.is_without('fuse') then
    describe('a build without fuse', function()
        it('says so', function()
            run.bank()
            run.fails(7, 'WITHOUT=fuse', 'mount', run.dir .. '/m')
        end)
    end)
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

    it('lets editors and copying tools write pages', function()
        script([[
            wiki || fail wiki
            mounts
            echo one >$page || fail "echo: $?"
            says one cat $page
            sed -i s/one/two/ $page || fail "sed: $?"
            says two cat $page
            vim -es -c %s/two/three/ -c wq $page || fail "vim: $?"
            says three cat $page
            vim -es --cmd 'set backupcopy=no backup' -c %s/three/four/ -c wq \
                $page || fail "vim by rename: $?"
            says four cat $page
            echo fifth >intro.md
            rsync -a intro.md m/wiki/wiki/atlas/ || fail "rsync: $?"
            says fifth cat $page
            echo six >intro.md
            rsync -a --inplace intro.md m/wiki/wiki/atlas/ || fail "rsync: $?"
            says six cat $page
            echo seven >intro.md
            cp intro.md $page || fail "cp: $?"
            says seven cat $page
            echo eight | tee $page >/dev/null || fail "tee: $?"
            echo nine >>$page || fail "append: $?"
            says "eight
nine" cat $page
            cat >cut.py <<'PY'
import os, sys
path = sys.argv[1]
os.truncate(path, 5)
assert os.path.getsize(path) == 5 and open(path).read() == 'eight'
PY
            python3 cut.py $page || fail "truncate: $?"
            rm -f $page~
            says intro.md ls -A m/wiki/wiki/atlas
            says 10 sh -c "'$ATE' history wiki page atlas/intro --json |
                jq length"
            stop
        ]])
    end)

    it('writes and deletes objects as files', function()
        script([[
            wiki || fail wiki
            mounts
            object=m/wiki/types/page/atlas/intro.json
            echo '{"text": "one"}' >$object || fail "echo: $?"
            says one cat $page
            says one jq -r .text $object
            sed -i 's/"one"/"two"/' $object || fail "sed: $?"
            says two cat $page
            says "$page" grep -rl two m/wiki/wiki
            jq '.text = "three"' $object >new.json
            cp new.json $object || fail "cp: $?"
            says three cat $page
            cp /dev/null $object
            says three cat $page
            refuses 'Invalid argument' dd if=/dev/zero of=$object bs=1 count=9 \
                conv=fsync
            says three cat $page
            refuses 'Operation not permitted' rm $page
            rm $object || fail "rm: $?"
            [ ! -e $page ] || fail "the page is still there"
            [ ! -e $object ] || fail "the object is still there"
            says '' ls m/wiki/wiki/atlas
            stop
        ]])
    end)

    -- A shell looks at write(2), and at nothing behind it.
    it('fails the write of an object that is refused, and says why', function()
        run.write(run.dir .. '/words.lua', WORDS)
        script([[
            words || fail words
            mounts
            refuses 'Operation not permitted' bash -c \
                "echo '{\"body\": \"q\"}' >$word/damn.json"
            says swears jq -r .error.rule $word/damn.json.reply
            [ ! -e $word/damn.json ] || fail "it was made"
            refuses 'Invalid argument' bash -c "echo no JSON >$word/bad.json"
            says INVALID jq -r .error.code $word/bad.json.reply
            echo '{"body":' >$word/torn.json # told at close(2)
            says INVALID jq -r .error.code $word/torn.json.reply
            echo '{"name": "a", "body": "x"}' >other.json
            refuses 'Invalid argument' cp other.json $word/b.json
            says "'name' is b in the path, and something else in the document" \
                jq -r .error.text $word/b.json.reply
            echo '{"body": "1"}' >$word/spent.json || fail "echo: $?"
            rm $word/spent.json || fail "rm: $?"
            refuses 'File exists' bash -c \
                "echo '{\"body\": \"2\"}' >$word/spent.json"
            says CONFLICT jq -r .error.code $word/spent.json.reply
            touch $word/none.json || fail "touch: $?"
            says 'nothing was written, so nothing was made' \
                jq -r .error.text $word/none.json.reply
            refuses 'Invalid argument' bash -c "touch $word/$'\\xff'.json"
            says '' ls -A $word
            seq 9000 | jq -cs '{body: map(tostring) | join(" ")}' >long.json
            cp long.json $word/long.json || fail "cp: $?"
            dd if=long.json of=$word/long.json bs=1000 2>/dev/null ||
                fail "dd: $?"
            jq -e --slurpfile long long.json '.body == $long[0].body' \
                $word/long.json >/dev/null || fail 'another text'
            says 2 sh -c "'$ATE' history words word long --json | jq length"
            stop
        ]])
    end)

    -- They unlink what is there and then create it; a deleted key is spent.
    it('lets mv and install write an object that is there', function()
        run.write(run.dir .. '/words.lua', WORDS)
        script([[
            words || fail words
            mounts
            put() {
                echo "{\"body\": \"$1\"}" >new.json
            }
            body() {
                jq -r .body $word/a.json
            }
            echo '{"body": "first"}' >$word/a.json || fail "echo: $?"
            put moved
            mv new.json $word/a.json || fail "mv: $?"
            says moved body
            put installed
            install -m 600 new.json $word/a.json || fail "install: $?"
            says installed body
            put copied
            cp --remove-destination new.json $word/a.json || fail "cp: $?"
            says copied body
            perl -pi -e s/copied/edited/ $word/a.json || fail "perl: $?"
            says edited body
            put removed
            cat >again.py <<'PY'
import os, sys
os.unlink(sys.argv[1])
with open(sys.argv[1], 'x') as f:
    f.write(open('new.json').read())
PY
            python3 again.py $word/a.json || fail "python3: $?"
            says removed body
            says 6 sh -c "'$ATE' history words word a --json | jq length"
            # What is refused is not written, and nothing is deleted.
            echo '{"body": 7}' >new.json
            refuses 'Invalid argument' mv new.json $word/a.json
            [ -e new.json ] || fail 'mv removed what it could not move'
            says removed body
            echo '{"body": "b"}' >$word/b.json || fail "echo: $?"
            refuses 'Invalid argument' mv $word/b.json $word/a.json
            says "a.json
b.json" ls $word
            jq 'del(.name)' $word/b.json >other.json
            says removed body
            mv other.json $word/a.json || fail "mv: $?"
            says b body
            ! "$ATE" history words word a --json | grep -q delete ||
                fail 'it was deleted'
            stop
        ]])
    end)

    -- What the kernel keeps of a folder is one list for all who read it.
    it('lists all there is, whoever began to list before', function()
        run.write(run.dir .. '/words.lua', WORDS)
        script([[
            words || fail words
            mounts
            for i in $(seq 300); do
                printf 'name=some_word_%03d body=x\n' $i
            done >m/words/methods/say || fail "say: $?"
            cat >lists.py <<'PY'
import os, subprocess, sys
folder, ate = sys.argv[1:]
def say(name):
    subprocess.run([ate, 'call', 'words', 'say', 'name=' + name, 'body=x'],
                   check=True, stdout=subprocess.DEVNULL)
    while not os.path.exists(f'{folder}/{name}.json'):
        pass
def newest():
    return sorted(os.listdir(folder))
# The kernel is told soon; what stays as it was is ended by the timeout.
def until_in(names, name):
    while f'{name}.json' not in names():
        pass
# Opened before, and read after; and then once more.
fd = os.open(folder, os.O_RDONLY)
for name in 'b', 'a':
    say(name)
    until_in(lambda: os.listdir(fd), name)
    until_in(newest, name)
# Read in pieces while it changes, and while others read it whole.
before = newest()
with os.scandir(fd) as some:
    got = [next(some).name]
    for name in '0', '1', '2':
        say(name)
        until_in(newest, name)
    got += [entry.name for entry in some]
assert got == before, set(got) ^ set(before)
os.close(fd)
for _ in range(3):
    assert len(newest()) == 305, len(newest())
PY
            timeout 60 python3 lists.py $word "$ATE" || fail "python3: $?"
            stop
        ]])
    end)

    it('keeps scratch files when the schema changes', function()
        run.write(run.dir .. '/words.lua', WORDS)
        script([[
            words || fail words
            mounts
            echo '{"body": "x"}' >$word/a.json || fail "echo: $?"
            echo unsaved >$word/.a.json.swp || fail "echo: $?"
            sed "s/version = 1/version = 2/
                s/40})}/40}), more = t.default(t.text(), '')}/" \
                words.lua >next.lua
            "$ATE" schema apply words next.lua >/dev/null || fail "apply: $?"
            await grep -q more $word/a.json
            says unsaved cat $word/.a.json.swp
            says "a.json" ls $word
            says ".a.json.swp
a.json" ls -A $word
            rm $word/.a.json.swp || fail "rm: $?"
            says "a.json" ls -A $word
            stop
        ]])
    end)

    it('deletes what rm removes, and says at once what is refused', function()
        run.write(run.dir .. '/words.lua', WORDS)
        script([[
            words || fail words
            mounts
            for name in a b c d e kept; do
                echo '{"body": "x"}' >$word/$name.json || fail "echo: $?"
            done
            rm $word/a.json || fail "rm: $?"
            [ ! -e $word/a.json ] || fail "it is there"
            grep -c word.delete m/words/events.jsonl >deleted
            says 1 cat deleted
            refuses 'was deleted' "$ATE" get words word a
            refuses 'Operation not permitted' rm $word/kept.json
            says 'stays: kept is kept' jq -r .error.text $word/kept.json.reply
            rm $word/b.json $word/c.json || fail "rm: $?"
            says "d.json
e.json
kept.json" ls $word
            refuses 'was deleted' "$ATE" get words word c
            # By a process that goes on.
            cat >stays.py <<'PY'
import os, sys
os.unlink(sys.argv[1])
assert not os.path.exists(sys.argv[1])
with open('m/words/watch') as watch:
    assert any('word.delete' in line for line in watch)
PY
            timeout 20 python3 stays.py $word/d.json || fail "python3: $?"
            rm $word/e.json || fail "rm: $?"
            stop
            refuses 'was deleted' "$ATE" get words word e
            says kept sh -c "'$ATE' list words word --json | jq -r '.[].name'"
        ]])
    end)

    it('deletes no version that was written after the unlink', function()
        run.write(run.dir .. '/words.lua', WORDS)
        script([[
            words || fail words
            mounts
            echo '{"body": "x"}' >$word/a.json || fail "echo: $?"
            cat >meanwhile.py <<'PY'
import os, subprocess, sys
path, ate = sys.argv[1:]
os.unlink(path)
subprocess.run([ate, 'call', 'words', 'word.put', 'name=a', 'body=later'],
               check=True, stdout=subprocess.DEVNULL)
PY
            timeout 20 python3 meanwhile.py $word/a.json "$ATE" ||
                fail "python3: $?"
            await [ -e $word/a.json ]
            says later jq -r .body $word/a.json
            says STALE jq -r .error.code $word/a.json.reply
            # A new file that was unlinked is no object; junk fails the write.
            cat >new.py <<'PY'
import os, sys
def make(path):
    return os.open(path, os.O_WRONLY | os.O_CREAT)
fd = make(sys.argv[1])
os.unlink(sys.argv[1])
os.write(fd, b'{"body": "x"}')
os.close(fd)
assert not os.path.exists(sys.argv[1])
fd = make(sys.argv[1])
try:
    os.write(fd, b'{"body": "x"} x')
except OSError as e:
    print(os.strerror(e.errno))
os.close(fd)
PY
            says 'Invalid argument' python3 new.py $word/b.json
            says a.json ls $word
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
        run.write(run.dir .. '/words.lua', WORDS)
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
