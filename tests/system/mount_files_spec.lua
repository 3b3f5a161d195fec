--- Files of a mount that are written whole, pages and objects, and the folders
-- that list them.
local mounting = require('mount_helper')
local run = require('helper')

local script = mounting.script
local WORDS = mounting.WORDS

--- Pads, in a folder where other names open that are in no list.
local PADS = [[
local ate = require('ate')
local t = ate.types
local pads = ate.schema('pads', {doc = 'Pads.', version = 1})
pads:object('pad', {
    doc = 'A pad.', key = {'name'},
    header = {name = t.name({max = 40})}, body = {body = t.text()},
})
pads:event('rung', {doc = 'A bell.', header = {n = t.integer()}})
for _, one in ipairs({'plain', 'marked'}) do
    local suffix = one == 'marked' and '.md' or ''
    pads:method('write_' .. one, {
        doc = 'Write a pad.', mode = 'write', args = t.fields('pad'),
        content = 'body', file = one .. '/{name}' .. suffix,
        run = function(ctx, args) return ctx:put('pad', args) end,
    })
    pads:method('read_' .. one, {
        doc = 'Read a pad.', mode = 'read', args = {pad = t.ref('pad')},
        returns = t.text(), file = one .. '/{pad}' .. suffix,
        run = function(ctx, args) return ctx.state.pad:get(args.pad).body end,
    })
end
pads:method('ring', {
    doc = 'Ring.', mode = 'write', args = t.fields('rung'),
    file = 'marked/{n}/ring',
    run = function(ctx, args) return ctx:emit('rung', args) end,
})
return pads
]]

before_each(run.begin)
after_each(run.finish)

if run.left_out('fuse', describe, it) then
    return
end

describe('a file of a mount', function()
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

    it('has 4913, for which vim looks, as a key, and lets vim end', function()
        run.write(run.dir .. '/pads.lua', PADS)
        script([[
            "$ATE" chain create pads --schema pads.lua \
                --accept accept-all,serializer,structured-logic \
                >/dev/null 2>&1 || fail create
            mounts
            # As outside of /tmp: it looks whether it could make a file.
            edit() {
                timeout -k 1 20 vim -u NONE -N -es -c 'set bsk= wb' \
                    -c "%s/.*/$1/" -c wq "$2" || fail "vim $2: $?"
                says "$1" cat "$2"
            }
            for name in 4913 5036 a; do
                echo one >m/pads/plain/$name || fail "echo: $?"
                says one cat m/pads/plain/$name
            done
            edit two m/pads/plain/a
            edit three m/pads/plain/4913
            edit four m/pads/marked/a.md # beside it each number is a folder
            says "4913
5036
a" ls -A m/pads/plain
            says "4913.md
5036.md
a.md" ls -A m/pads/marked
            cat >numbers.py <<'PY'
import os
for number in range(4000, 9000):
    os.stat('m/pads/marked/%d' % number)
PY
            python3 numbers.py || fail "stat: $?"
            echo '{}' >m/pads/marked/4913/ring || fail "ring: $?"
            says 4913 sh -c "'$ATE' list pads rung --json | jq .[].n"
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
end)
