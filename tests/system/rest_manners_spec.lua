--- Chains by HTTP: what is sent by hand, broken, slow or not at all; TLS.
local run = require('helper')
local rest = require('rest_helper')
local ate = require('ate')
local bank = rest.bank
local script = rest.script

before_each(run.begin)
after_each(run.finish)

if run.left_out('rest', describe, it) then
    return
end

--- For scripts that get HOST:PORT: send bytes, and give what comes until the
-- other side closes, which nobody asks it to.
local TALK = [[
import json, socket, sys, threading
host, port = sys.argv[1].split(':')

def talk(data):
    s = socket.create_connection((host, int(port)))
    s.settimeout(30)
    out = b''
    try:
        s.sendall(data)
    except ConnectionError:
        pass # it may have said why
    try:
        while True:
            got = s.recv(65536)
            if not got:
                break
            out += got
    except ConnectionError:
        pass
    return out
]]

describe('manners', function()
    it('are those of HTTP: ids, gzip, CORS by list', function()
        bank([[
            bare "$U/v1/bank" -H "Authorization: BEARER   $K"; want 200
            ask "$U/v1/bank" -H 'X-Request-Id: mine-1'
            [ "$(header x-request-id)" = mine-1 ] || fail "$(told)"
            ask "$U/v1/bank/nix" -H 'X-Request-Id: mine-2'
            want 404 '"request_id":"mine-2"'
            ask "$U/v1/bank"; one=$(header x-request-id)
            ask "$U/v1/bank" -H 'X-Request-Id: no "quotes"'
            two=$(header x-request-id)
            [ -n "$one" ] && [ -n "$two" ] && [ "$one" != "$two" ] ||
                fail "$one $two"
            ask "$U/v1/bank/openapi.json" -H 'Accept-Encoding: gzip'
            [ "$(header content-encoding)" = gzip ] || fail "$(cat head)"
            gzip -dc <body | grep -q '"openapi":"3.1.0"' || fail 'no gzip'
            ask "$U/v1/bank/openapi.json"; want 200 '"openapi":"3.1.0"'
            ask "$U/v1/bank" -H 'Origin: https://a.example'
            [ "$(header access-control-allow-origin)" = https://a.example ] ||
                fail "$(told)"
            ask "$U/v1/bank" -H 'Origin: https://c.example'; want 200
            [ -z "$(header access-control-allow-origin)" ] || fail "$(told)"
            bare -X OPTIONS "$U/v1/bank" -H 'Origin: https://b.example:8' \
                -H 'Access-Control-Request-Method: POST'
            want 204
            header access-control-allow-headers | grep -q Idempotency-Key ||
                fail "$(told)"
            bare -X OPTIONS "$U/v1/bank" -H 'Origin: https://c.example' \
                -H 'Access-Control-Request-Method: POST'
            want 401
            bare -X OPTIONS "$U/v1/%zz" -H 'Origin: https://a.example' \
                -H 'Access-Control-Request-Method: GET'
            want 204
            bare -X OPTIONS "$U/v1/bank" -H 'Origin: https://a.example' \
                -H 'Origin: https://c.example' \
                -H 'Access-Control-Request-Method: GET'
            want 400 '"pointer":"/Origin"'
            ask "$U/v1/%zz" -H 'Origin: https://a.example'; want 400
            [ "$(header access-control-allow-origin)" = https://a.example ] ||
                fail "$(told)"
            bare "$M/healthz"; want 200
            bare "$M/readyz"; want 200
            bare "$M/nix"; want 404
            bare -X POST "$M/metrics"; want 405
            bare "$M/metrics"; want 200 'ate_rest_requests_total{status="4xx"} 4'
            bare "$U/metrics"; want 401
        ]], '--cors https://a.example --cors https://b.example:8')
    end)

    it('wait for no pipe that stands where the key should', function()
        run.bank()
        script([[
            mkfifo -m 600 "$ATE_DATA/bearer" || fail mkfifo
            timeout -s KILL 20 "$ATE" key bearer >out 2>err && fail "$(cat out)"
            grep -q 'holds no bearer key' err || fail "$(cat err)"
        ]])
    end)

    it('hold against who sends nonsense, or nothing', function()
        run.write(run.dir .. '/raw.py', TALK .. [[
GET = b'GET /v1 HTTP/1.1\r\nhost: a\r\n'
POST = b'POST /v1 HTTP/1.1\r\nhost: a\r\n'
KEY = ('authorization: bearer %s\r\n' % sys.argv[2]).encode()

# A body that comes in drops, for as long as it is taken: the first request of a
# connection, and one behind another.
def trickle(first, heard):
    s = socket.create_connection((host, int(port)))
    s.settimeout(0.2)
    s.sendall(first + POST + KEY + b'content-length: 9999\r\n\r\n')
    heard.append(b'')
    try:
        for _ in range(300):
            try:
                got = s.recv(65536)
                heard[0] += got
                if not got:
                    return
            except socket.timeout:
                s.sendall(b'x')
    except ConnectionError:
        return
    heard[0] = b'it is taken for ever'

drops = []
for first in (b'', GET + KEY + b'\r\n'):
    heard = []
    thread = threading.Thread(target=trickle, args=(first, heard))
    thread.start()
    drops.append((thread, heard))
CODES = {b'400': b'INVALID', b'401': b'UNAUTHORIZED', b'408': b'TIMEOUT',
    b'405': b'METHOD_NOT_ALLOWED', b'413': b'TOO_LARGE',
    b'414': b'URI_TOO_LONG', b'417': b'INVALID'}
HOST = b'host: a\r\n'
CHUNKED = POST + b'transfer-encoding: chunked\r\n\r\n'
END = b'connection: close\r\n\r\n'
for status, data in ( # what has no head: the HTTP library's own line
        (b'400', b'hello\r\n\r\n'),
        (b'400', b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' * 9),
        (b'400', b'GET /\r\n\r\n'),
        (b'400', b'GET / HTTP/9.9\r\nhost: a\r\n\r\n'),
        (b'400', b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        (b'400', b'GET / HTTP/1.1\r\nhost\r\n\r\n'),
        (b'400', GET + b'x: a\0b\r\n\r\n'),
        (b'400', GET + b'x: ' + b'a' * 500000 + b'\r\n\r\n'),
        (b'400', GET + b'a: b\r\n' * 200 + b'\r\n')):
    said = talk(data)
    assert said.split(b' ')[1:2] == [status], (status, data[:60], said[:200])
    assert b'text/plain' in said, said
for status, data in (
        (b'413', POST + b'content-length: 99999999\r\n\r\n'),
        (b'400', POST + b'content-length: 12x\r\n\r\n'),
        (b'400', POST + b'content-length: -1\r\n\r\n'),
        (b'400', POST + b'content-length: ' + b'9' * 30 + b'\r\n\r\n'),
        (b'400', POST + b'transfer-encoding: gzip\r\n\r\n'),
        (b'400', CHUNKED + b'zz\r\n'),
        (b'400', CHUNKED + b'2\r\nabXX\r\n'),
        (b'417', POST + b'expect: more\r\ncontent-length: 1\r\n\r\na'),
        (b'405', b'TRACE / HTTP/1.1\r\nhost: a\r\n' + END),
        (b'405', b'brew /v1 HTTP/1.1\r\nhost: a\r\n' + END),
        (b'414', b'GET /' + b'a' * 9000 + b' HTTP/1.1\r\nhost: a\r\n' + END),
        (b'414', b'GET /' + b'a' * 99000 + b' HTTP/1.1\r\nhost: a\r\n' + END),
        (b'401', b'GET /v1 HTTP/1.0\r\n\r\n'),
        (b'408', b'GET / HTTP/1.1\r\nhost:'),
        (b'408', POST + b'content-length: 10\r\n\r\nabc'),
        (b'401', POST + b'content-length: 9999999\r\n\r\n' + b'a' * 200000),
        (b'401', POST + b'authorization: Bearer ate_x\r\n'
            b'content-length: 9999999\r\n\r\n' + b'a' * 200000),
        (b'408', b'')):
    page = data.replace(HOST, HOST + b'origin: https://a.example\r\n')
    said = talk(page)
    assert said.split(b' ')[1:2] == [status], (status, data[:60], said[:200])
    assert b'content-type: application/problem+json' in said, said
    # A page may read it, or its browser says that the network failed.
    may = said.count(b'access-control-allow-origin: https://a.example\r\n')
    assert may == (page != data) and said.count(b'vary: Origin\r\n') == 1, said
    assert (status == b'401') == (b'www-authenticate: Bearer' in said), said
    code = json.loads(said.split(b'\r\n\r\n', 1)[1])['code'].encode()
    assert code == CODES[status], (code, data[:60])
for (thread, heard), status in zip(drops, (b'408', b'200')):
    thread.join()
    assert heard[0].split(b' ')[1:2] == [status], (status, heard)
head = POST + ('authorization: bearer %s\r\ncontent-length: 16000000\r\n\r\n'
               % sys.argv[2]).encode()
large = []
for _ in range(18): # 288 MB, and 256 MiB may come at a time
    large.append(socket.create_connection((host, int(port))))
    try:
        large[-1].sendall(head + b'a' * 15999999)
    except ConnectionError:
        break
said = b''
for s in large:
    s.settimeout(30)
    try:
        said += s.recv(100)
    except ConnectionError:
        pass
    s.close()
assert b' 503 ' in said, said
many = [socket.create_connection((host, int(port))) for _ in range(1100)]
many[-1].settimeout(30)
assert many[-1].recv(100).startswith(b'HTTP/1.1 503'), 'no bound'
for s in many:
    s.close()
print('held')
]])
        assert.equal('held\n', bank([[
            ulimit -n 4096
            python3 raw.py "${U#http://}" "$K" || fail raw
            tries=0
            until curl -sS "$M/metrics" | grep -qx 'ate_rest_connections 0'; do
                tries=$((tries + 1))
                [ $tries -lt 2000 ] || fail 'connections stay'
            done
            ask "$U/v1"; want 200
        ]], '--cors https://a.example'))
    end)

    it('say once where the body ends', function()
        run.write(run.dir .. '/length.py', TALK .. [[
KEY = ('authorization: bearer %s\r\n' % sys.argv[2]).encode()
POST = b'POST /v1/bank/types/transfer HTTP/1.1\r\nhost: a\r\n' + KEY \
    + b'content-type: application/json\r\n'
GIVE = b'{"from":"alice","to":"bob","amount":"1"}'
LONG = b'Content-Length: %d\r\n' % len(GIVE)
MORE = b'content-length: %d\r\n' % (len(GIVE) + 2)
LESS = b'content-length: 0\r\n'
PARTS = b'Transfer-Encoding: chunked\r\n'
CHUNKS = b'%x\r\n%s\r\n0\r\n\r\n' % (len(GIVE), GIVE)

# Behind the body, a request that somebody hid there.
HIDDEN = b'GET /v1/bank HTTP/1.1\r\nhost: a\r\n' + KEY + b'\r\n'
for lines, body in (
        (LONG + LONG, GIVE), (LONG + MORE, GIVE + b'  '),
        (MORE + LONG, GIVE + b'  '), (LONG + LESS, GIVE),
        (LESS + LONG, GIVE), (LESS + LESS, b''),
        (LONG + b'x: y\r\n' + LONG.upper(), GIVE),
        (LONG + PARTS, CHUNKS), (PARTS + LONG, CHUNKS), (PARTS + LESS, CHUNKS),
        (PARTS + PARTS, CHUNKS),
        (b'transfer-encoding: gzip\r\n' + PARTS, CHUNKS)):
    said = talk(POST + lines + b'\r\n' + body + HIDDEN)
    head, told = said.split(b'\r\n\r\n', 1)
    assert head.split(b' ')[1] == b'400', (lines, said)
    assert b'connection: close' in head.lower(), (lines, head)
    assert b'content-type: application/problem+json' in head, head
    problem = json.loads(told) # and no second answer
    assert problem['code'] == 'INVALID', problem
    assert problem['errors'][0]['pointer'] == '/Content-Length', problem
# Lines that only look like them, to some.
for line in (LONG.replace(b':', b' :'), b' ' + LONG, b'\t' + PARTS,
        b' \r\n', PARTS.replace(b':', b' :'), b'content-length: 1, 1\r\n'):
    said = talk(POST + PARTS + line + b'\r\n' + CHUNKS + HIDDEN)
    assert said.split(b' ')[1] == b'400', (line, said)
    assert said.count(b'HTTP/1.1 ') == 1, (line, said)
for lines, body in ((LONG, GIVE), (PARTS, CHUNKS),
        (LONG + b'x-content-length: 1\r\n', GIVE)):
    said = talk(POST + lines + b'connection: close\r\n\r\n' + body)
    assert said.split(b' ')[1] == b'201', (lines, said)
print('once')
]])
        assert.equal('once\n', bank([[
            python3 length.py "${U#http://}" "$K" || fail length
            # Of all those, three were taken.
            ask "$U/v1/bank/views/balance"; want 200
            told | grep -q '"3.00"' || fail "$(told)"
        ]]))
    end)

    it('take chunks as they are written, and hide no request in them', function()
        run.write(run.dir .. '/chunks.py', TALK .. [[
KEY = ('authorization: bearer %s\r\n' % sys.argv[2]).encode()
POST = b'POST /v1/bank/types/transfer HTTP/1.1\r\nhost: a\r\n' + KEY \
    + b'content-type: application/json\r\n'
GIVE = b'{"from":"alice","to":"bob","amount":"1"}'
PARTS = POST + b'transfer-encoding: chunked\r\n\r\n'
# What somebody in front takes for the body of the first is a request to others.
HIDDEN = POST + b'content-length: %d\r\n\r\n' % len(GIVE) + GIVE
FIRST = b'GET /v1/bank HTTP/1.1\r\nhost: a\r\n' + KEY + b'\r\n'
for size in (b'0x5f', b'0X5f', b'0_17', b'0g', b'0 17', b'0\0', b'0\r', b'+0',
        b'0;a\nb', b''):
    for before in (b'', FIRST):
        said = talk(before + PARTS + size + b'\r\n\r\n' + HIDDEN)
        last = said[said.rindex(b'HTTP/1.1 '):]
        head, told = last.split(b'\r\n\r\n', 1)
        assert head.split(b' ')[1] == b'400', (size, said)
        assert b'connection: close' in head.lower(), (size, head)
        assert said.count(b'HTTP/1.1 ') == (2 if before else 1), (size, said)
        assert json.loads(told)['code'] == 'INVALID', told
for body in (b'0\n\n', b'0\n\r\n', b'0\r\n\n', b'%x\n%s\r\n0\r\n\r\n'
        % (len(GIVE), GIVE), b'%x\r\n%s\n0\r\n\r\n' % (len(GIVE), GIVE)):
    said = talk(PARTS + body + HIDDEN)
    assert said.split(b' ')[1] == b'400', (body, said)
    assert said.count(b'HTTP/1.1 ') == 1, (body, said)
for line in (b'content-length: %d \r\n' % len(GIVE),
        b'content-length: %d\t\r\n' % len(GIVE),
        b'transfer-encoding: chunked \r\n'):
    said = talk(POST + line + b'\r\n' + GIVE + HIDDEN)
    assert said.split(b' ')[1] == b'400', (line, said)
    assert said.count(b'HTTP/1.1 ') == 1, (line, said)
PARTS = PARTS[:-2] + b'connection: close\r\n\r\n'
for body in (b'%X\r\n%s\r\n0\r\n\r\n' % (len(GIVE), GIVE),
        b'1;x="y"\r\n%s\r\n0%x ; z\r\n%s\r\n00\r\na: b\r\n\r\n'
        % (GIVE[:1], len(GIVE) - 1, GIVE[1:])):
    said = talk(PARTS + body)
    assert said.split(b' ')[1] == b'201', (body, said)
print('apart')
]])
        assert.equal('apart\n', bank([[
            python3 chunks.py "${U#http://}" "$K" || fail chunks
            # Of all those, two were taken.
            ask "$U/v1/bank/views/balance"; want 200
            told | grep -q '"2.00"' || fail "$(told)"
        ]]))
    end)

    it('count what is refused, also where no request was read', function()
        run.write(run.dir .. '/count.py', TALK .. [[
import urllib.request
def counted():
    text = urllib.request.urlopen(sys.argv[2] + '/metrics').read().decode()
    return [int(line.split(' ')[1]) for line in text.splitlines()
            if line.startswith('ate_rest_requests_total{status="4xx"}')][0]
PUT = b'PUT /v1/bank HTTP/1.1\r\nhost: a\r\n'
LARGE = PUT + b'content-length: 99999999\r\n\r\n'
seen = counted()
for data, status in ((b'GET / HTTP/1.1\r\nhost: a b\r\n\r\n', b'400'),
        (PUT + b'content-length: x\r\n\r\n', b'400'),
        (b'junk\r\n\r\n', b'400'), (LARGE, b'413'),
        (PUT + b'content-length: 999999\r\n\r\n' + b'a' * 200000, b'401'),
        (PUT + b'expect: more\r\ncontent-length: 1\r\n\r\na', b'417'),
        (b'GET / HTTP/1.1\r\nhost:', b'408'),
        (b'GET /v1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', b'401')):
    assert talk(data).split(b' ')[1] == status, (data[:60], status)
    seen += 1
    assert counted() == seen, (data[:60], counted(), seen)
# Two of one connection; and who leaves was refused nothing.
talk(b'GET /v1 HTTP/1.1\r\nhost: a\r\n\r\n' + LARGE)
seen += 2
s = socket.create_connection((host, int(port)))
s.sendall(PUT + b'expect: 100-continue\r\ncontent-length: 9\r\n\r\n')
assert b' 100 ' in s.recv(100)
s.close()
talk(b'junk\r\n\r\n')
seen += 1
assert counted() == seen, (counted(), seen)
print('counted')
]])
        assert.equal('counted\n', bank([[
            python3 count.py "${U#http://}" "$M" || fail count
        ]]))
    end)

    it('want one Host, and take an absolute target', function()
        run.write(run.dir .. '/host.py', [[
import json, socket, sys
host, port = sys.argv[1].split(':')
KEY = ('authorization: bearer %s\r\n' % sys.argv[2]).encode()

def talk(line, *lines, body=b''):
    s = socket.create_connection((host, int(port)))
    s.settimeout(30)
    s.sendall(b'\r\n'.join((line,) + lines) + b'\r\n' + KEY
              + b'connection: close\r\n\r\n' + body)
    out = b''
    while True:
        got = s.recv(65536)
        if not got:
            head, said = out.split(b'\r\n\r\n', 1)
            return int(head.split(b' ')[1]), head, said
        out += got

GET = b'GET /v1/bank HTTP/1.1'
for lines in ((GET,), (GET, b'host: a', b'host: a'),
        (GET, b'Host: a', b'x: y', b'HOST:b'),
        (b'GET /v1/bank HTTP/1.0', b'host: a', b'host: a'),
        (GET, b'host: a b'), (GET, b'host: a/b'), (GET, b'host: a@b'),
        (GET, b'host: a:b'), (GET, b'host: [::1'), (GET, b'host: a,b:1:2'),
        (GET, b'host: \xc3\xa9'), (b'\r\n' + GET,),
        (b'GET http://a/v1/bank HTTP/1.1',),
        (b'GET host:a HTTP/1.1',),
        (b'POST /v1/bank/methods/transfer HTTP/1.1', b'content-length: 8')):
    has_body = lines[-1].startswith(b'content-length')
    status, head, said = talk(*lines, body=b'\nhost: a' if has_body else b'')
    assert status == 400, (lines, status, said)
    problem = json.loads(said)
    assert problem['code'] == 'INVALID', problem
    assert problem['errors'][0]['pointer'] == '/Host', problem
    assert b'content-type: application/problem+json' in head, head
assert talk(b'HEAD /v1/bank HTTP/1.1')[::2] == (400, b''), 'HEAD'
for lines in ((GET, b'host: a'), (GET, b'Host:  a.example:80 '), (GET, b'host:'),
        (GET, b'host: [::1]:80'), (b'GET /v1/bank HTTP/1.0',),
        (b'\r\n' + GET, b'x-host: b', b'host: a'),
        (b'GET http://127.0.0.1:%s/v1/bank HTTP/1.1' % port.encode(), b'host: a'),
        (b'GET HTTPS://a.example/v1/bank/ HTTP/1.1', b'host: other')):
    status, head, said = talk(*lines)
    assert status == 200 and json.loads(said)['name'] == 'bank', (lines, said)
A = b'host: a'
status, head, said = talk(b'GET http://a/v1/bank/types/account?limit=1 HTTP/1.1',
                          A)
assert status == 200 and len(json.loads(said)['items']) == 1, said
assert b'link: </v1/bank/types/account?cursor=' in head, head
give = b'{"from":"alice","to":"bob","amount":"1"}'
status, head, said = talk(b'POST http://a/v1/bank/types/transfer HTTP/1.1', A,
                          b'content-type: application/json',
                          b'content-length: %d' % len(give), body=give)
assert status == 201, said
for target in (b'http://a', b'http://a/', b'http://a?x=http://b/c'):
    status, head, said = talk(b'GET ' + target + b' HTTP/1.1', A,
                              b'accept: text/html')
    assert b'location: /console/' in head, (target, head, said)
for target in (b'ftp://a/v1', b'http:///v1', b'http://u@a/v1', b'http:/v1',
               b'a/v1', b'http://a b/v1'):
    assert talk(b'GET ' + target + b' HTTP/1.1', A)[0] == 400, target
assert talk(b'CONNECT a:80 HTTP/1.1', A)[0] == 405
status, head, said = talk(b'OPTIONS * HTTP/1.1', A)
assert status == 204 and b'allow: GET, HEAD, POST, PUT' in head, (status, head)
assert talk(b'GET * HTTP/1.1', A)[0] == 400
print('one')
]])
        assert.equal('one\n', bank([[
            python3 host.py "${U#http://}" "$K" || fail host
            python3 - "${M#http://}" <<'END' || fail 'of the metrics'
import socket, sys
host, port = sys.argv[1].split(':')
for lines, status in ((b'', b'400'), (b'host: a\r\n', b'200')):
    s = socket.create_connection((host, int(port)))
    s.sendall(b'GET http://a/healthz HTTP/1.1\r\n' + lines + b'\r\n')
    assert s.recv(4096).split(b' ')[1] == status, lines
END
        ]]))
    end)

    it('are TLS 1.3, and nothing less, where a certificate is given', function()
        run.bank()
        script([[
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
                -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
                -addext subjectAltName=IP:127.0.0.1 2>/dev/null
            open_rest --tls-cert cert.pem --tls-key key.pem
            case $U in https://*) ;; *) fail "$U" ;; esac
            ask --cacert cert.pem --tlsv1.3 "$U/v1/bank"; want 200
            curl -s --tls-max 1.2 --cacert cert.pem "$U/v1" && fail 'TLS 1.2'
            curl -s "http${U#https}/v1" && fail 'no TLS'
            stop
            "$ATE" serve --rest 0.0.0.0:0 2>err && fail 'in the clear'
            grep -q 'in the clear' err || fail "$(cat err)"
            "$ATE" serve --rest 0 --tls-cert nix 2>err && fail 'no certificate'
            grep -q 'certificate nix' err || fail "$(cat err)"
            "$ATE" serve --cors x 2>err && fail 'without --rest'
            grep -q 'nothing without --rest' err || fail "$(cat err)"
            for address in x 1:2:3:4 70000 127.0.0.1: example.org:1; do
                "$ATE" serve --rest "$address" 2>err && fail "$address"
                grep -q 'HOST:PORT' err || fail "$address: $(cat err)"
            done
        ]])
    end)

    it('are said as JSON when asked', function()
        run.bank()
        local said = ate.json.decode(script([[
            mkfifo ready
            "$ATE" serve --rest 0 --json >ready &
            daemon=$!
            children="$children $daemon"
            read -r line <ready
            echo "$line"
            stop
        ]]))
        assert.equal(run.data .. '/socket', said.ready)
        assert.matches('^http://127%.0%.0%.1:%d+$', said.rest)
    end)
end)
