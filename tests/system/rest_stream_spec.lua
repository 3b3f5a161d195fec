--- Chains by HTTP: event streams and web sockets.
local run = require('helper')
local rest = require('rest_helper')
local bank = rest.bank
local notes = rest.notes

before_each(run.begin)
after_each(run.finish)

if run.left_out('rest', describe, it) then
    return
end

describe('a stream', function()
    it('of events goes on exactly where it broke off, over a restart',
        function()
        bank([[
            pay() {
                json POST /v1/bank/methods/transfer \
                    '{"from":"alice","to":"bob","amount":"0.01"}'
                want 200
            }
            listen() {
                curl -sN -m 60 -H "Authorization: Bearer $K" \
                    -H 'Accept: text/event-stream' "$@" >>stream &
                listener=$!
                children="$children $listener"
            }
            ids() { sed -n 's/^id: //p' stream; }
            until_id() {
                tries=0
                until ids | grep -qx "$1"; do
                    tries=$((tries + 1))
                    [ $tries -lt 20000 ] || fail "no id $1: $(cat stream)"
                done
            }
            last() { sed 's/.*"index":\([0-9]*\).*/\1/' body; }
            : >stream
            listen "$U/v1/bank/events?after=1"
            pay; pay
            until_id "$(last)"
            stop
            wait $listener
            open_rest
            pay; pay
            until [ "$(ids | tail -1)" -lt "$(last)" ]; do fail 'it heard'; done
            listen -H "Last-Event-ID: $(ids | tail -1)" "$U/v1/bank/events"
            pay
            until_id "$(last)"
            ids >ids
            seq 2 "$(last)" | cmp - ids || fail "$(cat ids)"
            grep -c '^event: transaction' stream | grep -qx "$(wc -l <ids)" ||
                fail "$(cat stream)"
            kill $listener
            ask -H 'Accept: text/event-stream' -H 'Last-Event-ID: x' \
                "$U/v1/bank/events"
            want 400
        ]])
    end)

    it('does not wait for what is behind the end of the log', function()
        bank([[
            S='Accept: text/event-stream'
            ask "$U/v1/bank"; size=$(sed 's/.*"size":\([0-9]*\).*/\1/' body)
            last=$((size - 1))
            cursor() { # INDEX: one of a page that ended there
                printf '[null,%s]' "$1" | base64 | tr -d '=\n' | tr '+/' '-_'
            }
            for index in $size 9007199254740991; do
                for path in events types/account views/balance; do
                    ask -H "$S" -H "Last-Event-ID: $index" "$U/v1/bank/$path"
                    want 404 '"code":"NOT_FOUND"' '"pointer":"/Last-Event-ID"' \
                        "'Last-Event-ID' is $index" 'the log ends before' \
                        'begin anew'
                done
                for accept in "$S" 'Accept: application/json'; do
                    ask -H "$accept" "$U/v1/bank/events?after=$index"
                    want 404 '"pointer":"/after"' "'after' is $index"
                    ask -H "$accept" \
                        "$U/v1/bank/events?cursor=$(cursor $index)"
                    want 404 '"pointer":"/cursor"' "'cursor' is $index"
                done
            done
            ask "$U/v1/bank/events?after=$last"; want 200 '"items":[]'
            ask "$U/v1/bank/events?cursor=$(cursor $last)"; want 200 '"items":[]'
            for query in '' "?after=$size"; do # the id counts, not the query
                curl -sN -m 60 -H "Authorization: Bearer $K" -H "$S" \
                    -H "Last-Event-ID: $last" "$U/v1/bank/events$query" \
                    >stream &
                listener=$!
                children="$children $listener"
                json POST /v1/bank/methods/transfer \
                    '{"from":"alice","to":"bob","amount":"0.01"}'; want 200
                # A heartbeat may stand before it.
                index=$(sed 's/.*"index":\([0-9]*\).*/\1/' body) tries=0
                until grep -q "^id: $index" stream; do
                    tries=$((tries + 1))
                    [ $tries -lt 20000 ] || fail "no id $index: $(cat stream)"
                done
                grep '^id:' stream | head -1 | grep -qx "id: $((last + 1))" ||
                    fail "not from $last on: $(cat stream)"
                last=$index size=$((index + 1))
                kill $listener
            done
        ]])
    end)

    it('of a read tells what changed, and nothing else', function()
        bank([[
            curl -sN -m 60 -H "Authorization: Bearer $K" \
                -H 'Accept: text/event-stream' \
                "$U/v1/bank/views/balance?account=bob" >stream &
            children="$children $!"
            said() { grep -c '^event: change' stream; }
            until_said() {
                tries=0
                until grep -qF "$1" stream; do
                    tries=$((tries + 1))
                    [ $tries -lt 20000 ] || fail "no $1: $(cat stream)"
                done
            }
            until_said '"items":[]'
            json PUT /v1/bank/types/account/carol '{"owner":"me"}'; want 200
            json POST /v1/bank/methods/transfer \
                '{"from":"alice","to":"bob","amount":"0.01"}'; want 200
            until_said '"amount":"0.01"'
            [ "$(said)" -eq 2 ] || fail "$(cat stream)"
            ask -H 'Accept: text/event-stream' "$U/v1/bank/types/account/eve"
            want 404
        ]])
    end)
end)

describe('a stream of a read that fails', function()
    it('tells that once, and that it is over', function()
        notes([[
            put() { json PUT "$N/types/$1" '{"text":"x"}'; want 200; }
            json PUT $N/types/book/b '{}'; want 200
            : >stream
            said() { sed -n 's/^event: //p' stream | tr '\n' ' '; }
            until_said() {
                tries=0
                until [ "$(said)" = "$1" ]; do
                    tries=$((tries + 1))
                    [ $tries -lt 20000 ] || fail "not $1: $(cat stream)"
                done
            }
            curl -sN -m 60 -H "Authorization: Bearer $K" \
                -H 'Accept: text/event-stream' "$U$N/half" >stream &
            children="$children $!"
            until_said 'change '
            one=$(grep ^data: stream)
            put note/b/13; until_said 'change problem '
            put note/b/1; put note/b/2
            json DELETE $N/types/note/b/13; want 200
            until_said 'change problem change '
            [ "$(grep ^data: stream | tail -1)" = "$one" ] ||
                fail "$(cat stream)"
        ]])
    end)
end)

--- A schema of which a path, a column and a method are others in each version.
local TURNS = [[
local ate = require('ate')
local t = ate.types
local turns = ate.schema('turns', {doc = 'Turns.', version = %d})
turns:object('thing', {
    doc = 'A thing.', key = {'name'}, header = {name = t.name({max = 9})},
})
turns:view('names', {
    doc = 'Its names.', key = {'name'},
    row = {name = t.name({max = 9}), place = %s},
    fold = {thing = function(rows, thing)
        rows:set({thing.name}, {place = %s})
    end},
})
local function tells(name, rest, word)
    turns:method(name, {
        doc = 'Say ' .. word, mode = 'read', returns = t.text({max = 9}),
        rest = rest, run = function() return word end,
    })
end
tells('a', 'GET /%s', 'A')
tells('b', 'GET /%s', 'B%d')
return turns
]]

describe('what goes on across another schema', function()
    it('is read by that', function()
        for version, parts in ipairs({
            {'t.integer()', '5', 'one', 'two'},
            {'t.text({max = 9})', "'5'", 'two', 'one'},
            {'t.text({max = 9})', "'5'", 'two', 'three'},
            {'t.text({max = 9})', "'5'", 'one', 'three'},
        }) do
            run.write(('%s/%d.lua'):format(run.dir, version), TURNS:format(
                version, parts[1], parts[2], parts[3], parts[4], version))
        end
        run.ok('chain', 'create', 'turns', '--schema', run.dir .. '/1.lua')
        run.write(run.dir .. '/turns.py', [[
import asyncio, json, subprocess, sys, websockets
url, key, ate = sys.argv[1:]

def apply(version):
    subprocess.run([ate, 'schema', 'apply', 'turns', '%d.lua' % version],
                   check=True, stdout=subprocess.DEVNULL)

async def listen(path):
    return await asyncio.create_subprocess_exec(
        'curl', '-sN', '-m', '60', '-H', 'Authorization: Bearer ' + key,
        '-H', 'Accept: text/event-stream', url + '/v1/turns/' + path,
        stdout=asyncio.subprocess.PIPE)

async def hear(listener, event, text):
    said = None
    while True:
        line = (await asyncio.wait_for(listener.stdout.readline(), 30)).decode()
        assert line, 'it has ended, and said no ' + text
        if line.startswith('event: '):
            said = line[7:-1]
        if line.startswith('data: '):
            assert said == event and text in line, (event, text, said, line)
            return

async def main():
    path = await listen('one')
    view = await listen('views/names?place=5')
    async with websockets.connect(
            'ws' + url[4:] + '/ws', subprotocols=[
                'ate.v1.json', 'ate.bearer.' + key]) as ws:
        async def told(word):
            while True:
                heard = json.loads(await asyncio.wait_for(ws.recv(), 30))
                if heard['data'].get('value') == word:
                    return
        await ws.send(json.dumps({
            'id': 1, 'chain': 'turns', 'read': 'call',
            'args': {'method': 'b', 'follow': True}}))
        await told('B1')
        await hear(path, 'change', '"A"')
        await hear(view, 'change', '"place":5')
        apply(2)
        await told('B2')
        await hear(path, 'change', '"B2"')
        await hear(view, 'change', '"place":"5"')
        apply(3)
        await told('B3')
        await hear(path, 'problem', 'NOT_FOUND')
        apply(4)
        await told('B4')
        await hear(path, 'change', '"A"')
    path.terminate()
    view.terminate()
    print('all heard')

asyncio.run(main())
]])
        assert.equal('all heard\n', rest.script([[
            open_rest
            json PUT /v1/turns/types/thing/a '{}'; want 200
            /usr/bin/python3 turns.py "$U" "$K" "$ATE" || fail turns
            stop
        ]]))
    end)
end)

describe('the end of the daemon', function()
    it('ends streams with their connections, at once', function()
        run.write(run.dir .. '/stays.py', [[
import os, signal, socket, sys
host, port = sys.argv[1].split(':')
s = socket.create_connection((host, int(port)))
s.settimeout(4) # it cuts them off after 5
s.sendall(('GET /v1/bank/events HTTP/1.1\r\nHost: a\r\n'
           'Authorization: Bearer %s\r\nAccept: text/event-stream\r\n\r\n'
           % sys.argv[2]).encode())
heard = b''
while b'event: transaction' not in heard:
    heard += s.recv(65536)
os.kill(int(sys.argv[3]), signal.SIGTERM)
while True:
    got = s.recv(65536)
    if not got:
        break
    heard += got
assert heard.endswith(b'0\r\n\r\n'), heard
print('ended')
]])
        assert.equal('ended\n', bank([[
            python3 stays.py "${U#http://}" "$K" "$daemon" || fail stays
            wait "$daemon" || fail "it ended with $?"
            open_rest
        ]]))
    end)

    it('is told to web sockets', function()
        run.write(run.dir .. '/told.py', [[
import asyncio, json, os, signal, sys, websockets
url, key, daemon = sys.argv[1:]
protocols = ['ate.v1.json', 'ate.bearer.' + key]

async def main():
    all = [await websockets.connect(url, subprotocols=protocols)
           for _ in range(40)]
    for ws in all[::2]: # the others have said nothing
        await ws.send(json.dumps({
            'id': 1, 'chain': 'bank', 'read': 'tail',
            'args': {'from': 0, 'follow': True}}))
    await all[0].recv()
    os.kill(int(daemon), signal.SIGTERM)
    for ws in all:
        try:
            while True: # less than the 5 s that others may take
                await asyncio.wait_for(ws.recv(), 4)
        except websockets.ConnectionClosed as e:
            assert (e.code, e.reason) == (1001, 'the door closes'), e
    print('all told')

asyncio.run(main())
]])
        assert.equal('all told\n', bank([[
            /usr/bin/python3 told.py "ws${U#http}/ws" "$K" "$daemon" ||
                fail told
            wait "$daemon" || fail "it ended with $?"
            open_rest
        ]]))
    end)
end)

--- For scripts that get HOST:PORT and the key: a web socket without a library.
local RAW = [[
import base64, os, socket, struct, sys
host, port = sys.argv[1].split(':')

def frame(opcode, text):
    return struct.pack('!BB', 0x80 | opcode, 0x80 | len(text)) + bytes(4) + text

def begin():
    s = socket.create_connection((host, int(port)))
    s.settimeout(30)
    s.sendall(('GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n'
               'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
               'Sec-WebSocket-Protocol: ate.v1.json\r\n'
               'Sec-WebSocket-Key: %s\r\nAuthorization: Bearer %s\r\n\r\n' % (
                   base64.b64encode(os.urandom(16)).decode(),
                   sys.argv[2])).encode())
    head = b''
    while b'\r\n\r\n' not in head:
        head += s.recv(1)
    assert b' 101 ' in head, head
    return s
]]

describe('a web socket', function()
    it('carries calls and subscriptions', function()
        run.write(run.dir .. '/ws.py', [[
import asyncio, json, sys, websockets

async def main(url, key):
    for wrong in (['ate.v1.json'], ['ate.v1.json', 'ate.bearer.ate_x']):
        try:
            await websockets.connect(url, subprotocols=wrong)
            raise SystemExit('it is open to all')
        except websockets.InvalidStatusCode as e:
            assert e.status_code == 401, e
    async with websockets.connect(
            url, subprotocols=['ate.v1.json', 'ate.bearer.' + key]) as ws:
        assert ws.subprotocol == 'ate.v1.json'
        async def say(message):
            await ws.send(message if isinstance(message, (str, bytes))
                          else json.dumps(message))
        async def hear(test):
            for _ in range(100):
                heard = json.loads(await asyncio.wait_for(ws.recv(), 20))
                if test(heard):
                    return heard
            raise SystemExit('not heard')
        pay = {'from': 'alice', 'to': 'bob', 'amount': '0.01'}
        await say({'id': 1, 'chain': 'bank', 'read': 'tail',
                   'args': {'from': 0, 'follow': True}, 'credit': 2})
        await hear(lambda m: m.get('data', {}).get('index') == 1)
        await say({'id': 2, 'chain': 'bank', 'call': 'transfer', 'args': pay,
                   'key': 'one'})
        done = await hear(lambda m: m['id'] == 2)
        for name in ('as', 'act_for'): # a variable that was not set is nobody
            await say({'id': 77, 'chain': 'bank', 'call': 'transfer',
                       'args': pay, name: ''})
            no = (await hear(lambda m: m['id'] == 77))['problem']
            assert no['code'] == 'INVALID', no
            assert no['errors'][0]['pointer'] == '/' + name, no
            assert f"'{name}' is empty; leave it out" in no['detail'], no
        await say({'id': 77, 'chain': 'bank', 'call': 'transfer',
                   'args': pay, 'key': ''})
        no = (await hear(lambda m: m['id'] == 77))['problem']
        assert no['errors'][0]['pointer'] == '/key', no
        await say({'id': 77, 'chain': 'bank', 'call': 'transfer',
                   'args': {'from': 'alice', 'to': 'amount', 'amount': '1'}})
        no = (await hear(lambda m: m['id'] == 77))['problem']
        assert no['errors'][0]['pointer'] == '/args/to', no
        await say({'id': 2, 'chain': 'bank', 'call': 'transfer', 'args': pay,
                   'key': 'one'})
        again = await hear(lambda m: m['id'] == 2)
        assert again['result']['tx'] == done['result']['tx']
        await say({'id': 1, 'credit': 100}) # now, not before: it had 2
        index = done['result']['index']
        await hear(lambda m: m['id'] == 1 and m['data']['index'] == index)
        await say({'id': 3, 'chain': 'bank', 'call': 'transfer',
                   'args': dict(pay, amount='999')})
        refused = await hear(lambda m: m['id'] == 3)
        assert refused['problem']['rule'] == 'too_deep', refused
        for bad in ('nonsense', {'id': 4}, [1], {'id': 'x'},
                    {'id': 5, 'call': 'a', 'read': 'b'},
                    {'id': 5, 'call': 'a'},
                    {'id': 5, 'chain': 'bank', 'call': 'a', 'nix': 1},
                    {'id': 5, 'chain': 'bank', 'call': 'a', 'args': []},
                    {'id': 5, 'chain': 'bank', 'call': 'a', 'context': []},
                    {'id': 5, 'chain': 'bank', 'call': 'transfer',
                     'args': pay, 'context': {'x': 1}},
                    {'id': 1, 'chain': 'bank', 'read': 'info'},
                    {'id': 5, 'credit': 0}):
            await say(bad)
            heard = await hear(lambda m: 'problem' in m)
            assert heard['problem']['code'] == 'INVALID', heard
        await say({'id': 5, 'chain': 'bank', 'call': 'a', 'arsg': {}})
        heard = await hear(lambda m: 'problem' in m)
        assert "did you mean 'args'?" in heard['problem']['detail'], heard
        await say({'id': 1, 'cancel': True})
        heard = await hear(lambda m: m['id'] == 1 and 'problem' in m)
        assert heard['problem']['code'] == 'CANCELED', heard
        for i in range(200):
            await say({'id': i, 'chain': 'bank', 'read': 'tail',
                       'args': {'follow': True}, 'credit': 1})
        heard = await hear(lambda m: 'problem' in m)
        assert heard['problem']['code'] == 'TOO_MANY', heard
        await say(b'bytes')
        try:
            while True:
                await asyncio.wait_for(ws.recv(), 20)
        except websockets.ConnectionClosed as e:
            assert e.code == 1003, e
    async with websockets.connect(
            url, subprotocols=['ate.v1.json', 'ate.bearer.' + key],
            max_size=None) as ws:
        try:
            await ws.send('x' * (2 << 20))
            await asyncio.wait_for(ws.recv(), 20)
            raise SystemExit('it took 2 MB')
        except websockets.ConnectionClosed as e:
            assert e.code == 1009, e
    print('all heard')

asyncio.run(main(sys.argv[1], sys.argv[2]))
]])
        assert.equal('all heard\n', bank([[
            /usr/bin/python3 ws.py "ws${U#http}/ws" "$K" || fail ws
            ask "$U/ws"; want 400 'web socket'
            bare "$U/ws"; want 401
            curl -sS "$M/metrics" | grep -qx 'ate_rest_streams 0' || fail streams
        ]]))
    end)

    it('ends with its key, and so does a stream', function()
        run.write(run.dir .. '/key.py', [[
import asyncio, json, subprocess, sys, websockets

url, key, ate, stream = sys.argv[1:]

async def ends(ws):
    try:
        while True:
            heard = await asyncio.wait_for(ws.recv(), 20)
            assert 'result' not in heard, heard
    except websockets.ConnectionClosed as e:
        assert e.code == 1008, e

async def main():
    protocols = ['ate.v1.json', 'ate.bearer.' + key]
    async with websockets.connect(url, subprotocols=protocols) as speaks, \
            websockets.connect(url, subprotocols=protocols) as listens:
        listener = await asyncio.create_subprocess_exec(
            'curl', '-sN', '-m', '60', '-H', 'Authorization: Bearer ' + key,
            '-H', 'Accept: text/event-stream', stream,
            stdout=asyncio.subprocess.PIPE)
        await listener.stdout.readline()
        await listens.send(json.dumps({'id': 1, 'chain': 'bank', 'read': 'tail',
                                       'args': {'follow': True}}))
        await listens.recv()
        new = subprocess.run([ate, 'key', 'bearer', '--new'], check=True,
                             capture_output=True, text=True).stdout.strip()
        await speaks.send(json.dumps({
            'id': 2, 'chain': 'bank', 'call': 'account.put',
            'args': {'name': 'late', 'owner': 'me'}}))
        await ends(speaks)
        await ends(listens)
        assert await asyncio.wait_for(listener.wait(), 20) == 0
        async with websockets.connect(url, subprotocols=[
                'ate.v1.json', 'ate.bearer.' + new]) as ws:
            await ws.send(json.dumps({'id': 3, 'chain': 'bank', 'read': 'info'}))
            assert 'result' in await asyncio.wait_for(ws.recv(), 20)
    print('ended')

asyncio.run(main())
]])
        assert.equal('ended\n', bank([[
            /usr/bin/python3 key.py "ws${U#http}/ws" "$K" "$ATE" \
                "$U/v1/bank/events" || fail key
            K=$("$ATE" key bearer)
            ask "$U/v1/bank/types/account/late"; want 404
        ]]))
    end)

    it('takes no header that each message has to say', function()
        bank([[
            for guard in 'Ate-As: me' 'Ate-Act-For: me' 'Ate-Context: {}' \
                'Idempotency-Key: a'; do
                ask "$U/ws" -H 'Upgrade: websocket' -H 'Connection: Upgrade' \
                    -H 'Sec-WebSocket-Version: 13' -H "$guard" \
                    -H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' \
                    -H 'Sec-WebSocket-Protocol: ate.v1.json'
                want 400 "\"pointer\":\"/${guard%%:*}\"" 'each message says it'
            done
        ]])
    end)

    it('is cut off when it goes on asking and does not read', function()
        run.write(run.dir .. '/mute.py', RAW .. [[
for name, said in (('nonsense', frame(1, b'nonsense')),
                   ('pings', frame(9, b'a' * 125)),
                   ('empty pings', frame(9, b''))):
    s = begin()
    try:
        for _ in range(4000): # 4 million messages
            s.sendall(said * 1000)
        raise SystemExit('it keeps answers to ' + name)
    except ConnectionError:
        s.close()
print('cut off')
]])
        assert.equal('cut off\n', bank([[
            python3 mute.py "${U#http://}" "$K" || fail mute
            curl -sS "$M/metrics" | grep -qx 'ate_rest_connections_stalled_total 3' ||
                fail "$(curl -sS "$M/metrics")"
            ask "$U/v1/bank"; want 200
        ]]))
    end)

    it('does nothing behind its close, and ends', function()
        run.write(run.dir .. '/behind.py', RAW .. [[
import json
def pay(n):
    return frame(1, json.dumps({'id': n, 'chain': 'bank', 'call': 'transfer',
        'args': {'from': 'alice', 'to': 'bob', 'amount': '1'}}).encode())
s = begin()
s.sendall(frame(2, b'bytes') + pay(1))
said = s.recv(2)
while len(said) < 2 or len(said) < 2 + said[1]:
    said += s.recv(2 + said[1] - len(said) if len(said) > 1 else 1)
assert said[:1] == b'\x88' and said[2:4] == b'\x03\xeb', said
s.sendall(pay(2))
assert s.recv(100) == b'', 'it goes on'
print('ended')
]])
        assert.equal('ended\n', bank([[
            python3 behind.py "${U#http://}" "$K" || fail behind
            ask "$U/v1/bank/views/balance"; want 200 '"items":[]'
            curl -sS "$M/metrics" | grep -qx 'ate_rest_streams 0' || fail streams
        ]]))
    end)
end)
