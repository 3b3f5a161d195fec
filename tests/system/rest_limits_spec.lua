--- Chains by HTTP: the limits of the configuration.
local run = require('helper')
local rest = require('rest_helper')
local bank = rest.bank

before_each(run.begin)
after_each(run.finish)

if run.left_out('rest', describe, it) then
    return
end

--- With a chain `bank`, served under these limits.
local function limited(limits, text)
    run.script('mkdir -p data')
    run.write(run.data .. '/ate.conf.lua', ('return {limits = {%s}}\n')
        :format(limits))
    return bank(text)
end

--- Python: a connection, and what comes of it until it is closed.
local CONNECT = [[
cat >connect.py <<'END'
import socket, sys
HOST, PORT = sys.argv[1].rsplit(':', 1)
KEY = sys.argv[2]
GET = ('GET /v1/bank/types/account HTTP/1.1\r\nHost: x\r\n'
       'Authorization: Bearer ' + KEY + '\r\n\r\n').encode()
def connect():
    s = socket.create_connection((HOST, int(PORT)))
    s.settimeout(30)
    return s
def answer(s):
    data = b''
    while b'\r\n\r\n' not in data:
        more = s.recv(65536)
        assert more, data
        data += more
    head, body = data.split(b'\r\n\r\n', 1)
    length = int([l for l in head.lower().split(b'\r\n')
                  if l.startswith(b'content-length:')][0].split(b':')[1])
    while len(body) < length:
        body += s.recv(65536)
    return head.split(b' ')[1]
def rest_of(s):
    data = b''
    while True:
        more = s.recv(65536)
        if not more:
            return data
        data += more
END
]]

describe('limits', function()
    it('bound a body', function()
        limited('rest_body = 2048', [[
            head -c 2048 /dev/zero | tr '\0' ' ' >most
            head -c 2049 /dev/zero | tr '\0' ' ' >more
            ask -X POST -H 'Content-Type: application/json' \
                --data-binary @more "$U/v1/bank/methods/transfer"
            want 413 TOO_LARGE 'at most 2048 bytes'
            printf '{"from":"alice","to":"bob","amount":"1"}' |
                dd of=most conv=notrunc 2>dd
            ask -X POST -H 'Content-Type: application/json' \
                --data-binary @most "$U/v1/bank/methods/transfer"
            want 200
        ]])
    end)

    it('bound connections and streams', function()
        limited('rest_connections = 2, rest_streams = 1', CONNECT .. [[
            cat >two.py <<'END'
from connect import *
first, second = connect(), connect()
second.sendall(GET.replace(b'Host', b'Accept: text/event-stream\r\nHost'))
assert b'200' in second.recv(4096)
first.sendall(GET)
assert answer(first) == b'200'
first.sendall(GET.replace(b'Host', b'Accept: text/event-stream\r\nHost'))
assert answer(first) == b'429', 'a second stream'
assert rest_of(connect()).startswith(b'HTTP/1.1 503 '), 'a third connection'
END
            python3 two.py "${U#http://}" "$K" || fail two
        ]])
    end)

    it('have room again when a stream is left that has nothing to tell',
        function()
        limited('rest_streams = 1', CONNECT .. [[
            cat >left.py <<'END'
from connect import *
import time
STREAM = GET.replace(b'Host', b'Accept: text/event-stream\r\nHost')
left = connect()
left.sendall(STREAM)
while b'event: change' not in left.recv(65536):
    pass
left.close()
began = time.monotonic()
while True:
    s = connect()
    s.sendall(STREAM)
    if s.recv(65536).startswith(b'HTTP/1.1 200 '):
        break
    assert time.monotonic() - began < 10, 'it keeps its place'
    s.close()
END
            python3 left.py "${U#http://}" "$K" || fail left
        ]])
    end)

    it('bound the time of requests and between them, and of no web socket',
        function()
        limited('rest_request_s = 1, rest_idle_s = 2', CONNECT .. [[
            cat >late.py <<'END'
from connect import *
import select
late, idle, part, busy = connect(), connect(), connect(), connect()
for s in (idle, part):
    s.sendall(GET)
    assert answer(s) == b'200'
part.sendall(GET[:40])
while not select.select([idle], [], [], 0)[0]: # asked all the time meanwhile
    busy.sendall(GET)
    assert answer(busy) == b'200'
assert rest_of(late).startswith(b'HTTP/1.1 408 '), 'no request'
assert rest_of(part).startswith(b'HTTP/1.1 408 '), 'a part of the second one'
assert rest_of(idle) == b'', 'no second one'
END
            cat >web.py <<'END'
import asyncio, json, sys
import websockets
async def main():
    where, key = sys.argv[1:]
    async with websockets.connect(
            'ws://' + where + '/ws', ping_interval=None,
            subprotocols=['ate.v1.json', 'ate.bearer.' + key]) as ws:
        for _ in range(2):
            p = await asyncio.create_subprocess_exec('python3', 'late.py',
                where, key)
            assert await p.wait() == 0
        await ws.send(json.dumps({'id': 1, 'chain': 'bank', 'read': 'info'}))
        heard = json.loads(await asyncio.wait_for(ws.recv(), 20))
        assert heard['result']['name'] == 'bank', heard
asyncio.run(main())
END
            /usr/bin/python3 web.py "${U#http://}" "$K" || fail web
        ]])
    end)

    it('are read again on HUP', function()
        run.script('mkdir -p data')
        run.bank()
        rest.script([[
            open_rest --log json
            # loaded N: the configuration was read again so many times
            loaded() {
                tries=0
                until [ "$(grep -c '"event":"reload"' serve.err)" -ge $1 ]; do
                    tries=$((tries + 1))
                    [ $tries -lt 100000 ] || fail "not loaded: $(cat serve.err)"
                done
            }
            head -c 5000 /dev/zero | tr '\0' ' ' >more
            large() {
                U=$(cat data/rest)
                ask -X POST -H 'Content-Type: application/json' \
                    --data-binary @more "$U/v1/bank/methods/transfer"
            }
            large; want 400
            echo 'return {limits = {rest_body = 4096, socket_callers = 1}}' \
                >data/ate.conf.lua
            kill -HUP $daemon; loaded 1
            large; want 413 'at most 4096 bytes'
            "$ATE" chain tail bank -f >following & children="$children $!"
            tries=0
            until grep -q account.put following; do
                tries=$((tries + 1))
                [ $tries -lt 100000 ] || fail 'nothing is followed'
            done
            "$ATE" call bank transfer from=alice to=bob amount=1 2>err
            [ $? -eq 7 ] || fail "a second caller: $(cat err)"
            grep -q '1 callers are there, as many as may be' err ||
                fail "$(cat err)"
            echo 'return {limits = {rest_body = 10}}' >data/ate.conf.lua
            kill -HUP $daemon
            tries=0
            until grep -q 'reload_refused.*rest_body: is a whole' serve.err; do
                tries=$((tries + 1))
                [ $tries -lt 100000 ] || fail "not refused: $(cat serve.err)"
            done
            large; want 413 'at most 4096 bytes'
            echo 'return {}' >data/ate.conf.lua
            kill -HUP $daemon; loaded 2
            "$ATE" call bank transfer from=alice to=bob amount=1 >said ||
                fail 'still too many'
            large; want 400
            stop
        ]])
    end)
end)
