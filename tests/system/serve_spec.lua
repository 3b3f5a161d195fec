--- ate serve: one process holds the data folder, the others go through it.
--
-- A script starts the daemon by `serve`, which returns when it is ready, and
-- ends it by `stop`. What it starts it ends, and nothing else.
local run = require('helper')
local ate = require('ate')

before_each(run.begin)
after_each(run.finish)

local PRELUDE = run.PRELUDE .. [[
bank() {
    "$ATE" chain create bank --schema bank.lua \
        --accept accept-all,serializer,structured-logic >/dev/null &&
        "$ATE" key new bob >/dev/null &&
        "$ATE" call bank account.put name=alice owner=me >/dev/null &&
        "$ATE" call bank account.put name=bob owner=bob >/dev/null
}
transfer() {
    "$ATE" call bank transfer from=alice to=bob "amount=$1"
}
# lines COUNT: so many transfers of a cent, as JSON.
lines() {
    i=0
    while [ $i -lt "$1" ]; do
        echo '{"from":"alice","to":"bob","amount":"0.01"}'
        i=$((i + 1))
    done
}
sizes() {
    "$ATE" view bank balance -o csv | sed -n 's/^bob,//p'
}
]]

--- Run a script; it has to end with 0.
local function script(text)
    run.bank_schema()
    return run.script(PRELUDE .. text)
end

--- What differs from run to run: hashes, times, and places in the log, for there
-- is a heartbeat in it for each second.
local function plain(text)
    return (text:gsub('%x%x%x%x%x%x%x%x+', 'HEX')
        :gsub('%d%d%d%d%-%d%d%-%d%dT[%d:.]+Z', 'TIME')
        :gsub('made the data folder [^\n]+\n', '')
        :gsub('durable [%d.]+ ms', 'durable MS')
        :gsub('"durable_us":%d+', '"durable_us":N')
        :gsub('"receipt":"[^"]*"', '"receipt":"R"')
        :gsub(', [%d.]+ s\n', ', N s\n'):gsub('index %d+', 'index N')
        :gsub('"index":%d+', '"index":N'):gsub('transaction %d+', 'N')
        :gsub('"result":"%d+%.%d"', '"result":"N"')
        :gsub('transfer %d+%.%d ', 'transfer N ')
        :gsub('ate%.grant %d+%.%d ', 'ate.grant N ')
        :gsub('\n%d+%.%d +account', '\nN account'))
end

--- Two outputs are equal; else the first command that differs is shown.
local function assert_equal_outputs(before, during)
    local function split(text)
        local parts = {}
        for part in ('\n' .. text):gsub('\n== ', '\0'):gmatch('%z([^%z]+)') do
            parts[#parts + 1] = part
        end
        return parts
    end
    local one, other = split(before), split(during)
    for i = 1, math.max(#one, #other) do
        assert.equal(one[i], other[i])
    end
end

describe('ate serve', function()
    it('says when it is ready and leaves nothing behind', function()
        local done = script([[
            serve
            echo "$line"
            stat -c '%F %a' data/socket
            bank
            transfer 1
            stop
            [ ! -e data/socket ] || fail 'the socket is there'
            sizes
            grep -v '^made the data folder ' serve.err
            true
        ]])
        local lines = {}
        for line in done.out:gmatch('[^\n]+') do
            lines[#lines + 1] = line
        end
        assert.equal('ready  ' .. run.data .. '/socket', lines[1])
        assert.equal('socket 600', lines[2])
        assert.equal('1.00', lines[#lines])
        assert.equal('', done.err)
    end)

    it('prints JSON when asked', function()
        local done = script('serve --json\necho "$line"\nstop')
        assert.same({ready = run.data .. '/socket'},
            ate.json.decode(done.out))
    end)

    it('is one for a folder', function()
        script([[
            serve
            "$ATE" serve 2>err
            [ $? -eq 7 ] || fail "another one could"
            grep -q 'another process serves' err || fail "$(cat err)"
            stop
            mkfifo in
            "$ATE" repl <in >/dev/null 2>&1 &
            repl=$!
            children="$children $repl"
            exec 4>in
            until grep -q "$repl" data/lock; do :; done
            "$ATE" serve 2>err
            [ $? -eq 7 ] || fail "beside a writer it could"
            grep -q "another process is writing there (pid $repl)" err ||
                fail "$(cat err)"
            exec 4>&-
            wait "$repl"
        ]])
    end)

    it('takes no arguments', function()
        run.fails(2, 'too many arguments', 'serve', 'x')
    end)
end)

describe('a command through the socket', function()
    local READS = {
        'chain ls', 'chain ls -l', 'chain ls --json', 'chain info bank',
        'chain info bank --json', 'chain tail bank', 'chain tail bank --json',
        'chain tail bank -n 2', 'chain verify bank', 'chain verify bank --json',
        'chain path bank', 'chain info nowhere', 'chain tail nowhere',
        'key ls', 'key show', 'key show bob --public', 'key show nobody',
        'view bank balance', 'view bank balance -o csv', 'view bank blance',
        'list bank account', 'list bank transfer --last', 'get bank account bob',
        'get bank account eve', 'history bank account bob', 'grants bank',
        'call bank account.list', 'call bank account.get name=bob',
        'complete -- ate view bank ""', 'call bank', 'call nowhere x',
    }
    local WRITES = {
        'key new carol',
        'chain create bank --schema bank.lua --accept '
            .. 'accept-all,serializer,structured-logic',
        'chain create bank --schema bank.lua',
        'chain create shop --schema bank.lua', 'key new bob', 'key new bob',
        'call bank account.put name=alice owner=me',
        'call bank account.put name=bob owner=bob --json',
        'call bank transfer from=alice to=bob amount=12.50',
        'call bank transfer from=alice to=bob amount=500',
        'call bank transfer from=alice to=bob amount=1 --as bob',
        'call bank transfer from=alice to=bob amount=x',
        'call bank transfer from=alice to=eve amount=1',
        'call bank transfr from=alice', 'call bank account.create name=bob '
            .. 'owner=bob',
        'call bank transfer from=alice to=bob amount=1 --as nobody',
        'call bank transfer from=alice to=bob amount=1 --with bob',
        'grant bank account/alice write --to bob', 'grants bank',
        'revoke bank 99.0',
        'call bank transfer --jsonl lines', 'call bank transfer --jsonl lines '
            .. '--json --keep-going',
        'view bank balance', 'call bank transfer from=bob to=alice amount=1 '
            .. '--call-id xyz', 'call bank transfer from=bob to=alice amount=1 '
            .. '--as bob --call-id 000102030405060708090a0b0c0d0e0f',
        'call bank transfer from=bob to=alice amount=1 '
            .. '--as bob --call-id 000102030405060708090a0b0c0d0e0f',
        'call bank transfer from=bob to=alice amount=2 '
            .. '--as bob --call-id 000102030405060708090a0b0c0d0e0f',
    }

    local function all(commands)
        local text = {}
        for i, command in ipairs(commands) do
            text[i] = ('echo "== %s"\n"$ATE" %s 2>&1\necho "exit $?"\n')
                :format(command:gsub('"', '\\"'), command)
        end
        return table.concat(text)
    end

    it('reads the same as without a daemon', function()
        local done = script('bank\ntransfer 1 >/dev/null\nreads() {\n'
            .. all(READS) .. '}\nreads >before\nserve\nreads >during\nstop\n'
            .. 'cat before\necho ====\ncat during')
        local before, during = done.out:match('^(.*)====\n(.*)$')
        -- What the daemon has open, it has open, and knows its version.
        before = before:gsub('"closed"}', '"open","version":1}')
        assert_equal_outputs(before, during)
        assert.matches('exit 3', before)
    end)

    it('writes the same as without a daemon', function()
        local done = script([[
            printf '%s\n' '{"from":"alice","to":"bob","amount":"1"}' \
                '{"from":"alice","to":"bob","amount":"1000"}' \
                '{"from":"alice","to":"bob","amount":"2"}' >lines
            writes() {
]] .. all(WRITES) .. [[
            }
            writes >before
            rm -r data
            serve
            writes >during
            stop
            "$ATE" chain verify bank >/dev/null || fail 'it does not verify'
            cat before; echo ====; cat during]])
        local before, during = done.out:match('^(.*)====\n(.*)$')
        assert_equal_outputs(plain(before), plain(during))
        for _, code in ipairs({2, 3, 5, 6}) do
            assert.matches('exit ' .. code, before)
        end
    end)

    it('runs the REPL', function()
        local done = script([[
            bank
            serve
            printf '%s\n' 'bank.transfer{from = "alice", to = "bob", amount = 3}' \
                'bank.view.balance()' | "$ATE" repl bank
            stop
        ]])
        assert.matches('bob%s+3%.00', done.out)
    end)

    it('says so when only reading is left to it', function()
        script([[
            bank
            serve
            kill -STOP "$daemon"
            # Nobody answers: what is asked for in time is not waited for.
            "$ATE" view bank balance >/dev/null 2>err
            [ $? -eq 7 ] || fail "it was answered"
            grep -q 'the daemon says nothing' err || fail "$(cat err)"
            # Nor by who types Ctrl-C meanwhile.
            env --default-signal=INT "$ATE" call bank transfer from=alice \
                to=bob amount=1 2>err &
            client=$!
            children="$children $client"
            n=0
            until ls -l /proc/$client/fd | grep -q socket:; do
                n=$((n + 1))
                [ $n -lt 4000 ] || fail 'it asks nobody'
            done
            kill -INT "$client"
            wait "$client"
            code=$?
            [ $code -eq 130 ] || fail "exit $code: $(cat err)"
            kill -CONT "$daemon"
            stop
        ]])
    end)
end)

describe('clients at once', function()
    it('all get their writes in', function()
        local done = script([[
            bank
            serve
            lines 300 | "$ATE" call bank transfer --jsonl - >one &
            one=$!
            lines 300 | "$ATE" call bank transfer --jsonl - >other &
            other=$!
            "$ATE" view bank balance >/dev/null || fail 'a reader'
            wait $one || fail "one: $?"
            wait $other || fail "other: $?"
            sizes
            cat one other
            "$ATE" chain verify bank >/dev/null || fail 'it does not verify'
            stop
        ]])
        assert.matches('^6%.00\n', done.out)
        assert.matches('300 accepted.*300 accepted', done.out)
    end)

    it('that are killed leave the daemon as it was', function()
        script([[
            bank
            serve
            mkfifo in
            "$ATE" call bank transfer --jsonl in --json >out 2>/dev/null &
            client=$!
            children="$children $client"
            exec 4>in
            lines 2000 >&4
            until [ -s out ]; do :; done
            lines 2000 >&4 &
            feeder=$!
            kill -KILL "$client"
            wait "$client"
            exec 4>&-
            wait "$feeder"
            transfer 1 >/dev/null || fail 'the next call'
            "$ATE" chain verify bank >/dev/null || fail 'it does not verify'
            told=$(wc -l <out)
            in_log=$("$ATE" list bank transfer -o csv | grep -c 0.01)
            [ "$told" -le "$in_log" ] || fail "$told told, $in_log written"
            stop
        ]])
    end)

    it('that stand still disturb nobody', function()
        script([[
            bank
            serve
            mkfifo out
            "$ATE" chain tail bank -f --json >out &
            client=$!
            children="$children $client"
            exec 4<out
            read -r line <&4
            kill -STOP "$client"
            lines 3000 | "$ATE" call bank transfer --jsonl - >/dev/null ||
                fail 'a writer'
            [ "$(sizes)" = 30.00 ] || fail "$(sizes)"
            kill -CONT "$client"
            n=1
            while [ $n -lt 3000 ] && read -r line <&4; do n=$((n + 1)); done
            [ $n -eq 3000 ] || fail "only $n lines"
            kill -TERM "$client"
            exec 4<&-
            stop
        ]])
    end)

    it('are canceled by Ctrl-C, one by one', function()
        script([[
            bank
            serve
            mkfifo out
            env --default-signal=INT "$ATE" chain tail bank -f >out &
            client=$!
            children="$children $client"
            exec 4<out
            read -r line <&4
            kill -INT "$client"
            wait "$client"
            code=$?
            [ $code -eq 130 ] || fail "exit $code"
            transfer 1 >/dev/null || fail 'the next call'
            stop
        ]])
    end)
end)

describe('the end of the daemon', function()
    it('by TERM loses nothing that was acknowledged', function()
        script([[
            bank
            serve
            lines 20000 | "$ATE" call bank transfer --jsonl - --json \
                >out 2>err &
            client=$!
            until [ -s out ]; do :; done
            stop
            wait "$client"
            code=$?
            [ $code -eq 7 ] || fail "the client ended with $code: $(cat err)"
            grep -q 'daemon' err || fail "$(cat err)"
            told=$(wc -l <out)
            [ "$told" -gt 0 ] || fail 'nothing was acknowledged'
            "$ATE" chain verify bank >/dev/null || fail 'it does not verify'
            sed -n 's/.*"index":\([0-9]*\).*/\1/p' out | sort >acknowledged
            "$ATE" chain tail bank --from 0 --json |
                sed -n 's/.*"index":\([0-9]*\).*/\1/p' | sort >logged
            missing=$(comm -23 acknowledged logged | wc -l)
            [ "$missing" -eq 0 ] || fail "$missing are missing"
        ]])
    end)

    it('is told to those who follow', function()
        local done = script([[
            bank
            serve
            mkfifo out
            "$ATE" chain tail bank -f >out 2>err &
            client=$!
            exec 4<out
            read -r line <&4
            stop
            wait "$client"
            echo $?
            cat err
        ]])
        assert.matches('^7\nate: .*the daemon is stopping', done.out)
    end)

    it('by KILL leaves a socket that does not matter', function()
        script([[
            bank
            serve
            mkfifo out
            "$ATE" chain tail bank -f >out 2>err &
            client=$!
            exec 4<out
            read -r line <&4
            transfer 1 >/dev/null || fail 'a call'
            kill -KILL "$daemon"
            wait "$daemon"
            wait "$client"
            [ $? -eq 7 ] || fail 'who followed did not notice'
            grep -q 'the connection to the daemon .* ended' err ||
                fail "$(cat err)"
            [ -S data/socket ] || fail 'there is no socket'
            [ "$(sizes)" = 1.00 ] || fail 'what was acknowledged is gone'
            transfer 1 >/dev/null || fail 'a call without a daemon'
            serve
            transfer 1 >/dev/null || fail 'a call to the next one'
            [ "$(sizes)" = 3.00 ] || fail "$(sizes)"
            stop
        ]])
    end)

    it('does not wait for those who do not read, and not at all by a second '
        .. 'TERM', function()
        script([[
            bank
            lines 6000 | "$ATE" call bank transfer --jsonl - >/dev/null
            serve
            cat >stuck.py <<'END'
import array, fcntl, socket, struct, sys, termios
s = socket.socket(socket.AF_UNIX)
s.connect('data/socket')
def frame(kind, call, rest):
    return struct.pack('<IBQ', 13 + len(rest), kind, call) + rest
def text(t):
    return struct.pack('<H', len(t)) + t
hello = frame(1, 0, b'ATECALL\x03' + bytes(11))
tail = frame(2, 1, b'\x01' + struct.pack('<II', 2**32 - 1, 0) + bytes(16)
    + text(b'bank') + text(b'list') + text(b'') * 5
    + b'\x81\xa4type\xa8transfer')
s.sendall(hello + tail)
got = 0
while got < 1000: # the chain is open, and rows come
    got += len(s.recv(100))
for line in sys.stdin: # how much waits to be read
    waits = array.array('i', [0])
    fcntl.ioctl(s, termios.FIONREAD, waits)
    print(waits[0], flush=True)
END
            mkfifo said held
            python3 stuck.py <held >said &
            children="$children $!"
            exec 4>held 5<said
            waiting() {
                echo >&4
                read -r n <&5
                echo "$n"
            }
            # Until a turn of the daemon adds nothing: it takes no more.
            tries=0
            until n=$(waiting); sizes >/dev/null; [ "$n" = "$(waiting)" ]; do
                tries=$((tries + 1))
                [ $tries -lt 1000 ] || fail 'it takes everything'
            done
            kill -TERM "$daemon"
            until [ ! -e data/socket ]; do :; done
            kill -TERM "$daemon"
            wait "$daemon"
            code=$?
            [ $code -eq 143 ] || fail "exit $code"
            exec 4>&- 5<&-
            [ "$(sizes)" = 60.00 ] || fail "$(sizes)"
        ]])
    end)
end)

describe('a caller', function()
    it('that says what it must not is told and dropped', function()
        local done = script([[
            bank
            serve
            cat >garbage.py <<'END'
import os, random, socket, struct, sys
seed = int.from_bytes(os.urandom(4), 'big')
print('seed', seed)
random.seed(seed)
def frame(kind, call, rest):
    return struct.pack('<IBQ', 13 + len(rest), kind, call) + rest
hello = frame(1, 0, b'ATECALL\x03' + bytes(11))
def said(bytes_, end=True):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect('data/socket')
    got = b''
    try:
        s.sendall(bytes_)
        if end:
            s.shutdown(socket.SHUT_WR)
        while True:
            more = s.recv(65536)
            if not more:
                break
            got += more
    except (BrokenPipeError, ConnectionResetError):
        pass
    return got
assert b'a frame has at most' in said(b'GET / HTTP/1.1\r\n\r\n', False)
assert b'has to be HELLO' in said(frame(2, 1, b''), False)
assert b'you speak version 9' in said(
    frame(1, 0, b'ATECALL\x09' + bytes(11)), False)
assert b'no frame of kind 77' in said(hello + frame(77, 1, b''), False)
assert b'its fields do not fill' in said(hello + frame(2, 1, b'\0'), False)
assert b'not for the daemon' in said(hello + frame(5, 1, b'\0\xc0'), False)
for _ in range(300):
    data = bytearray(hello + b''.join(
        frame(random.randrange(1, 7), random.randrange(3),
              os.urandom(random.randrange(60))) for _ in range(5)))
    for _ in range(random.randrange(3)):
        data[random.randrange(len(data))] = random.randrange(256)
    said(bytes(data))
print('done')
END
            python3 garbage.py || fail 'garbage'
            transfer 1 >/dev/null || fail 'the next call'
            [ "$(sizes)" = 1.00 ] || fail "$(sizes)"
            stop
        ]])
        assert.matches('done', done.out)
    end)

    it('that floods does not keep others waiting', function()
        script([[
            bank
            serve
            cat >flood.py <<'END'
import socket, struct, threading
def frame(kind, call, rest):
    return struct.pack('<IBQ', 13 + len(rest), kind, call) + rest
def text(t):
    return struct.pack('<H', len(t)) + t
hello = frame(1, 0, b'ATECALL\x03' + bytes(11))
def call(n):
    return frame(2, n, b'\x01' + struct.pack('<II', 0, 0) + bytes(16)
        + text(b'bank') + text(b'tail') + text(b'') * 5
        + b'\x81\xa6follow\xc3')
def connect():
    s = socket.socket(socket.AF_UNIX)
    s.connect('data/socket')
    s.settimeout(20)
    return s
# More calls than may be under way.
s = connect()
got = b''
try:
    s.sendall(hello + b''.join(call(n) for n in range(1, 3000)))
except (BrokenPipeError, ConnectionResetError):
    pass
while b'more than 1024 calls' not in got:
    more = s.recv(1 << 20)
    assert more, got[-200:]
    got += more
# More callers than may be: each of those above is told, or hung up on.
crowd = [connect() for _ in range(300)]
told = 0
for s in crowd:
    try:
        s.sendall(hello)
        if b'as many as may be' in s.recv(1000):
            told += 1
    except (BrokenPipeError, ConnectionResetError):
        told += 1
assert told >= 40, told
for s in crowd:
    s.close()
# One that never stops.
s = connect()
s.sendall(hello)
nothing = frame(6, 9, b'') * 5000
print('flooding', flush=True)
try:
    while True:
        s.sendall(nothing)
except OSError:
    pass
END
            mkfifo said
            python3 flood.py >said &
            flood=$!
            children="$children $flood"
            exec 4<said
            read -r line <&4
            [ "$line" = flooding ] || fail "it said $line"
            for i in 1 2 3 4 5; do
                timeout 10 "$ATE" call bank transfer from=alice to=bob \
                    amount=1 >/dev/null || fail "call $i during a flood"
            done
            [ "$(sizes)" = 5.00 ] || fail "$(sizes)"
            stop
        ]])
    end)

    it('of another user is not let in', function()
        if io.popen('id -u'):read('*l') ~= '0' then
            return -- only root can become somebody else
        end
        script([[
            bank
            serve
            as_nobody() {
                setpriv --reuid=65534 --clear-groups "$@"
            }
            chmod 711 . data
            as_nobody "$ATE" chain ls --data "$ATE_DATA" >/dev/null 2>err
            [ $? -eq 4 ] || fail "nobody may: $(cat err)"
            chmod 666 data/socket
            as_nobody "$ATE" chain ls --data "$ATE_DATA" >/dev/null 2>err
            [ $? -eq 4 ] || fail "nobody may: $(cat err)"
            grep -q 'user 65534 is not let in' err || fail "$(cat err)"
            "$ATE" chain ls >/dev/null || fail 'root may'
            stop
        ]])
    end)
end)

describe('a call id', function()
    local ID = '000102030405060708090a0b0c0d0e0f'

    for _, how in ipairs({'without a daemon', 'through the socket'}) do
        it('repeated has the call done once, ' .. how, function()
            local serve = how == 'through the socket'
            local done = script(([[
                bank
                %s
                call() {
                    "$ATE" call bank transfer from=alice to=bob \
                        --call-id %s "$@" 2>&1
                    echo "exit $?"
                }
                call amount=1 --json
                call amount=1 --json
                call amount=2
                call amount=1 --as bob
                sizes
                %s
            ]]):format(serve and 'serve' or '', ID, serve and 'stop' or ''))
            local first, again, rest = done.out:match(
                '^([^\n]+)\nexit 0\n([^\n]+)\nexit 0\n(.*)$')
            assert(first ~= nil, done.out)
            first, again = ate.json.decode(first), ate.json.decode(again)
            for _, name in ipairs({'result', 'index', 'tx'}) do
                assert.equal(first[name], again[name])
            end
            assert.matches('^ate: .*other arguments[^\n]*\nexit 5\n'
                .. 'ate: .*by another author[^\n]*\nexit 5\n1%.00\n$', rest)
        end)
    end

    it('is 32 digits, and of one call', function()
        run.fails(2, '32 hexadecimal digits', 'call', 'x', 'y', '--call-id',
            'abc')
        run.fails(2, 'of one call', 'call', 'x', '--jsonl', 'f', '--call-id',
            ID)
    end)
end)

describe('a deadline', function()
    it('ends opening through a daemon that stands still', function()
        local done = script([[
            bank
            serve
            kill -STOP "$daemon"
            "$ATE" call bank transfer from=alice to=bob amount=1 \
                --deadline 300 2>err
            echo "exit $?"
            cat err
            grep '^State:' /proc/$daemon/status
            kill -CONT "$daemon"
            [ -z "$(sizes)" ] || fail "$(sizes)"
            stop
        ]])
        assert.matches('^exit 130\nate: open [^\n]+/data: the daemon says '
            .. 'nothing for 300 ms; see why the process that serves it stands '
            .. 'still, or end it and start it again\nState:%s+T', done.out)
    end)

    it('is all that a daemon without a word is given, and once', function()
        run.write(run.dir .. '/silent.py', [[
import signal, socket, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
open('listens', 'w').close()
signal.sigwait([signal.SIGTERM])
listener.setblocking(False)
count = 0
try:
    while True:
        listener.accept()
        count += 1
except BlockingIOError:
    print(count)
]])
        local done = script([[
            bank
            python3 silent.py data/socket &
            children="$children $!"
            silent=$!
            until [ -e listens ]; do :; done
            set -- call bank transfer from=alice to=bob amount=1
            "$ATE" "$@" --deadline 50 2>err
            echo "exit $?"
            grep -c 'says nothing for 50 ms' err
            "$ATE" "$@" 2>err
            echo "exit $?"
            grep -c 'says nothing for 5000 ms' err
            cat >x.lua <<END
local ate = require('ate')
local folder, err = ate.open{data = '$PWD/data', deadline_ms = 50}
print(folder, err.code)
END
            "$ATE" run x.lua
            kill $silent
            wait $silent
        ]])
        assert.equal('exit 130\n1\nexit 7\n1\nnil\tCANCELED\n3\n', done.out)
    end)

    it('ends a call to a daemon that stands still', function()
        local done = script([[
            bank
            serve
            mkfifo in
            # A session that is there already.
            "$ATE" call bank transfer --jsonl in --deadline 300 --json \
                >out 2>err &
            client=$!
            children="$children $client"
            exec 4>in
            lines 1 >&4
            until [ -s out ]; do :; done
            kill -STOP "$daemon"
            lines 1 >&4
            exec 4>&-
            wait "$client"
            echo "exit $?"
            cat err
            kill -CONT "$daemon"
            # Whatever became of it, its call id has it done once.
            id=$(sed -n 's/.*call id \([0-9a-f]*\) .*/\1/p' err)
            "$ATE" call bank transfer from=alice to=bob amount=0.01 \
                --call-id "$id" >/dev/null || fail "asked again"
            [ "$(sizes)" = 0.02 ] || fail "$(sizes)"
            stop
        ]])
        assert.matches('^exit 130\n', done.out)
        assert.matches('the deadline of 300 ms passed; whether it was written '
            .. 'is not known', done.out)
    end)

    it('that is far away changes nothing', function()
        script([[
            bank
            "$ATE" call bank transfer from=alice to=bob amount=1 \
                --deadline 60000 >/dev/null || fail 'without a daemon'
            serve
            "$ATE" call bank transfer from=alice to=bob amount=1 \
                --deadline 60000 >/dev/null || fail 'through the socket'
            [ "$(sizes)" = 2.00 ] || fail "$(sizes)"
            stop
        ]])
    end)

    it('is at least a millisecond, and no longer than can be counted', function()
        run.fails(2, 'at least 1 ms', 'call', 'x', 'y', '--deadline', '0')
        for _, command in ipairs({'call', 'mount'}) do
            run.fails(2, '^ate: ' .. command .. ': %-%-deadline is at least 1 '
                .. 'ms and at most 4294967295, not 4294967296\n$', command,
                'x', '--deadline', '4294967296')
        end
    end)
end)
