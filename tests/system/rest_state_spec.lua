--- Chains by HTTP: what is done once, versions, pages, proofs.
local run = require('helper')
local rest = require('rest_helper')
local bank = rest.bank
local notes = rest.notes

before_each(run.begin)
after_each(run.finish)

if run.left_out('rest', describe, it) then
    return
end

local PATHS = [[
local ate = require('ate')
local t = ate.types
local paths = ate.schema('paths', {doc = 'Paths.', version = %d})
paths:object('thing', {
    doc = 'A thing.', key = {'name'}, header = {name = t.name({max = 9})},
})
local function tells(name, rest, word)
    paths:method(name, {
        doc = 'Say ' .. word, mode = 'read', returns = t.text({max = 9}),
        rest = rest, run = function() return word end,
    })
end
tells('a', 'GET /%s', 'A')
tells('b', 'GET /%s', 'B')
tells('posted', 'POST /one', 'posted')
tells('deleted', 'DELETE /one', 'deleted')
return paths
]]

describe('a repeated Idempotency-Key', function()
    it('is done once, also after a restart; with another body it is 422',
        function()
        bank([[
            pay() {
                json POST /v1/bank/methods/transfer \
                    "{\"from\":\"alice\",\"to\":\"bob\",\"amount\":\"$1\"}" \
                    -H "Idempotency-Key: $2"
            }
            sent() { sed 's/"durable_us":[0-9]*,"gas":[0-9]*,//' body; }
            pay 1 '"first"'; want 200
            first=$(sent)
            pay 1 first; want 200
            [ "$(sent)" = "$first" ] || fail "$(told)"
            pay 2 first; want 422 '"code":"KEY_REUSED"'
            stop
            open_rest
            pay 1 first; want 200
            [ "$(sent)" = "$first" ] || fail "$(told)"
            pay 2 first; want 422 '"code":"KEY_REUSED"'
            pay 1 4f4a0e1c-0d0a-4b8e-9a63-4b1f2f6d7c11; want 200
            second=$(sent)
            [ "$second" != "$first" ] || fail "$(told)"
            pay 1 4F4A0E1C0D0A4B8E9A634B1F2F6D7C11; want 200
            [ "$(sent)" = "$second" ] || fail "$(told)"
            "$ATE" call bank transfer from=alice to=bob amount=1 \
                --call-id 4f4a0e1c0d0a4b8e9a634b1f2f6d7c11 --json >cli
            grep -qF "$(sed 's/.*"tx":"\([0-9a-f]*\)".*/\1/' body)" cli ||
                fail 'the call id is another'
            pay 1 "$(head -c 256 /dev/zero | tr '\0' k)"
            want 400 '"pointer":"/Idempotency-Key"'
            ask "$U/v1/bank/views/balance?account=bob"; want 200 '"2.00"'
            "$ATE" key new eve >/dev/null
            pay 1 shared; want 200
            json POST /v1/bank/methods/transfer \
                '{"from":"alice","to":"bob","amount":"1"}' \
                -H 'Idempotency-Key: shared' -H 'Ate-As: eve'
            want 422 '"rule":"not_owner"'
        ]])
    end)
end)

describe('versions', function()
    it('are told page by page', function()
        notes([[
            json PUT $N/types/book/b '{}'
            for text in one two three four five; do
                json PUT $N/types/note/b/1 "{\"text\":\"$text\"}"; want 200
            done
            page() { # URL TEXTS: these stand there
                ask "$1"; want 200
                [ "$(grep -o '"text":"[a-z]*"' body | cut -d'"' -f4 |
                    paste -sd ' ')" = "$2" ] || fail "not $2: $(told)"
                next=$(sed 's/.*"next":"*\([^",}]*\).*/\1/' body)
            }
            H=$U$N/history/note/b/1
            page "$H?limit=2" 'five four'
            header link | grep -qF "limit=2>; rel=\"next\"" || fail "$(told)"
            page "$H?limit=2&cursor=$next" 'three two'
            page "$H?limit=2&cursor=$next" 'one'
            [ "$next" = null ] && ! header link | grep . || fail "$(told)"
            page "$H?limit=5" 'five four three two one'
            [ "$next" = null ] || fail "$(told)"
            ask "$H?cursor=x"; want 400 '"pointer":"/cursor"'
            ask "$H?cursor=$(printf '[null,"x"]' | base64 | tr -d '=\n')"
            want 400 'place of a version'
        ]])
    end)

    it('are ETags that writes can be based on', function()
        notes([[
            json PUT $N/types/book/b '{}'
            json PUT $N/types/note/b/1 '{"text":"one"}'; want 200
            P=$N/types/note/b/1
            ask "$U$P"; one=$(header etag)
            ask "$U$P" -H "If-None-Match: $one"; want 304
            [ ! -s body ] || fail "$(told)"
            ask "$U$P" -H "If-None-Match: \"x\", $one"; want 304
            json PATCH $P '{"text":"two"}' -H "If-Match: $one"; want 200
            json PATCH $P '{"text":"three"}' -H "If-Match: $one"
            want 412 '"code":"PRECONDITION_FAILED"'
            json PUT $P '{"text":"three"}' -H "If-Match: $one"; want 412
            ask -X DELETE -H "If-Match: $one" "$U$P"; want 412
            ask "$U$P" -H "If-None-Match: $one"; want 200 '"text":"two"'
            two=$(header etag)
            json PUT $P '{"text":"three"}' -H "If-Match: $two"; want 200
            json PUT $P '{"text":"four"}' -H 'If-Match: *'; want 200
            json PUT $N/types/note/b/2 '{"text":"new"}' -H 'If-Match: *'
            want 412
            json PUT $P '{"text":"five"}' -H 'If-None-Match: *'; want 412
            json PUT $N/types/note/b/2 '{"text":"new"}' -H 'If-None-Match: *'
            want 200
            json PUT $N/types/note/b%2F9 '{"text":"coded"}'; want 200
            ask "$U$N/types/note/b/9"; want 200 '"text":"coded"'
            json PUT $N/types/note/b%2F%2F9 '{"text":"x"}'
            want 400 'empty segment'
            json PUT $N/types/note/b%2F9%2F9 '{"text":"x"}'; want 404
            ask -X DELETE "$U$N/types/note/b%2F9"; want 200
            json PUT $P '{"text":"x"}' -H 'If-Match: W/"1"'; want 412
            json PUT $P '{"text":"x"}' -H 'If-Match: nonsense'; want 400
            json PATCH $P '{"text":"list"}' -H "If-Match: \"x\", $one,W/$two"
            want 412
            ask "$U$P"; newest=$(header etag)
            json PUT $P '{"text":"x"}' -H "If-Match: W/$newest"; want 412
            json PUT $P '{"text":"four"}' -H "If-Match: \"x\",$one , $newest"
            want 200
            ask "$U$P"; want 200 '"text":"four"'
            ask "$U$N/types/note"; list=$(header etag)
            json PUT $N/types/book/c '{}'; want 200
            ask "$U$N/types/note" -H "If-None-Match: $list"; want 304
            json PATCH $P '{"text":"y"}' -H 'Prefer: return=minimal'; want 204
            for prefer in 'respond-async, RETURN = "minimal"; x=1' \
                'return=minimal, return=representation'; do
                json PATCH $P '{"text":"y"}' -H "Prefer: $prefer"; want 204
            done
            json PATCH $P '{"text":"y"}' -H 'Prefer: wait=3' \
                -H 'Prefer: return=minimal'; want 204
            for prefer in return=minimalistic no-return=minimal return \
                return=representation 'x; return=minimal' nowait=0; do
                json PATCH $P '{"text":"y"}' -H "Prefer: $prefer"; want 200
            done
            ask "$U$N/types/note" -H "If-None-Match: $list"; want 200
        ]])
    end)
end)

describe('the ETag of an object', function()
    it('is of its version and of how that is told', function()
        run.write(run.dir .. '/one.lua', PATHS:format(1, 'one', 'two'))
        local two = PATHS:format(2, 'one', 'two')
            :gsub('t.name%(%b{}%)', '%0, size = t.default(t.integer(), 7)')
        run.write(run.dir .. '/two.lua', two)
        run.ok('chain', 'create', 'paths', '--schema', run.dir .. '/one.lua')
        rest.script([[
            open_rest
            T=/v1/paths/types/thing/a
            json PUT $T '{}'; want 200
            ask "$U$T"; one=$(header etag)
            at=$(sed 's/.*"at":"\([0-9.]*\)".*/\1/' body)
            case $one in "\"$at-"????????????????'"') ;; *) fail "$one" ;; esac
            "$ATE" schema apply paths two.lua >/dev/null
            ask "$U$T" -H "If-None-Match: $one"; want 200 '"size":7'
            two=$(header etag)
            case $two in "$one") fail "$two" ;; "\"$at-"*) ;; *) fail "$two" ;;
            esac
            ask "$U$T" -H "If-None-Match: $two"; want 304
            ask "$U$T" -H "If-Match: $one"; want 412
            # The version is the same one, and so it is told by itself.
            json PATCH $T '{"size":1}' -H "If-Match: $one"; want 200
            json PATCH $T '{"size":2}' -H "If-Match: $two"; want 412
            ask "$U$T"; at=$(sed 's/.*"at":"\([0-9.]*\)".*/\1/' body)
            json PATCH $T '{"size":2}' -H "If-Match: \"$at\""; want 200
            for wrong in '"-"' '"-5d41402abc4b2a76"'; do
                json PATCH $T '{"size":3}' -H "If-Match: $wrong"; want 412
            done
            stop
        ]])
    end)

    it('is another where it comes compressed', function()
        notes([[
            json PUT $N/types/book/b '{}'; want 200
            P=$N/types/note/b/1 Z='Accept-Encoding: gzip'
            long=$(head -c 2000 /dev/zero | tr '\0' x)
            json PUT $P "{\"text\":\"$long\"}"; want 200
            for again in 1 2; do # what is kept, too
                ask "$U$P"; one=$(header etag)
                ask "$U$P" -H "$Z"; two=$(header etag)
                [ "$(header content-encoding)" = gzip ] || fail "$(cat head)"
                [ "$two" = "${one%\"}-gzip\"" ] || fail "$one $two"
                ask "$U$P" -H "If-None-Match: $one"; want 304
                ask "$U$P" -H "If-None-Match: $two"; want 200
                ask "$U$P" -H "$Z" -H "If-None-Match: $two"; want 304
                ask "$U$P" -H "$Z" -H "If-None-Match: $one"
                [ "$status" = 200 ] || fail "$status"
            done
            ask -I "$U$P" -H "$Z"; [ "$(header etag)" = "$one" ] || fail head
            json PATCH $P '{"text":"short"}' -H "If-Match: $two"; want 200
            ask "$U$P" -H "$Z"
            case $(header etag) in *-gzip*) fail "$(told)" ;; esac
        ]])
    end)
end)

describe('what guards a request', function()
    it('is judged, or refused where nobody would', function()
        notes([[
            only() { want "$1" "\"pointer\":\"/$2\""; }
            json PUT $N/types/book/b '{}'
            P=$N/types/note/b/1
            json PUT $P '{"text":"one"}'; want 200
            ask "$U$P"; one=$(header etag)
            # Empty ones are no guards that were left out.
            for verb in PUT PATCH; do
                json $verb $P '{"text":"x"}' -H 'If-Match;'; only 400 If-Match
                json $verb $P '{"text":"x"}' -H 'If-None-Match;'
                only 400 If-None-Match
                json $verb $P '{"text":"x"}' -H 'If-None-Match: "1.0"'
                only 400 If-None-Match
                json $verb $P '{"text":"x"}' -H "If-Match: $one" \
                    -H 'If-None-Match: *'
                [ "$status" = 400 ] || [ "$status" = 412 ] || fail "$(told)"
            done
            ask -X DELETE -H 'If-Match;' "$U$P"; only 400 If-Match
            ask -X DELETE -H 'If-Match;' -H "If-Match: $one" "$U$P"
            only 400 If-Match
            ask "$U$P" -H 'If-None-Match;'; only 400 If-None-Match
            # None is to be there of what a PATCH changes.
            json PATCH $P '{"text":"x"}' -H 'If-None-Match: *'
            want 412 '"code":"PRECONDITION_FAILED"'
            ask -X DELETE -H 'If-None-Match: *' "$U$P"; want 412
            # A method has no version, nor have a list and a stream.
            for guard in 'If-Match: *' 'If-None-Match: *' "If-Match: $one"; do
                name=${guard%%:*}
                json POST $N/methods/sum '{"all":[1]}' -H "$guard"
                only 400 "$name"
                json PUT $N/jot/b/1 '{"text":"x"}' -H "$guard"; only 400 "$name"
                json POST $N/types/book '{"name":"c"}' -H "$guard"
                only 400 "$name"
            done
            ask "$U$P" -H 'Accept: text/event-stream' -H 'If-Match: *'
            only 400 If-Match
            ask "$U$N/files/cur" -H 'If-Match: *'; only 400 If-Match
            ask "$U$N/files/cur" -H 'Range: bytes=0-0' -H 'If-Range: "a"'
            want 200
            # Reads are judged by their ETag.
            ask "$U$P" -H "If-Match: \"x\" , $one"; want 200
            ask "$U$P" -H 'If-Match: *'; want 200
            ask "$U$P" -H "If-Match: W/$one"; want 412
            ask "$U$P" -H 'If-Match: "x"'; want 412
            ask "$U$N/types/note" -H 'If-Match: *'; want 200
            for path in /v1 /openapi.json /metrics /problems/IO; do
                ask "$U$path" -H 'If-Match: *'; only 400 If-Match
            done
            ask "$U/console/" -H 'If-Match: "x"'; want 412
            ask "$U/console/" -H 'If-Match: *'; want 200
            ask "$U/console/" -H 'If-None-Match: *'; want 304
            # Each is said once, and as RFC 9110 writes it.
            D='Sun, 06 Nov 1994 08:49:37 GMT'
            for guard in 'If-Match: "a"' 'If-None-Match: "a"' \
                'If-Range: "a"' "If-Modified-Since: $D" \
                "If-Unmodified-Since: $D"; do
                name=${guard%%:*}
                for path in $P $N/files/cur; do
                    ask "$U$path" -H "$guard" -H "$guard"
                    only 400 "$name"
                    grep -q 'one .*not several' body || fail "$(told)"
                    ask "$U$path" -H "$name;"; only 400 "$name"
                done
                for wrong in a '"a' 'a"' '"a" "b"' '"a",b' '*, "a"' ',' \
                    'w/"a"' '"a b"' 'Sun, 06 Nov'; do
                    ask "$U$P" -H "$name: $wrong"; only 400 "$name"
                    json PUT $P '{"text":"x"}' -H "$name: $wrong"
                    only 400 "$name"
                done
            done
            for good in '"a,b"' '"a" ,, W/"b",' 'W/""' "\"\", $one"; do
                ask "$U$P" -H "If-None-Match: $good" || fail "$(told)"
                [ "$status" = 200 ] || [ "$status" = 304 ] || fail "$(told)"
            done
            # Dates mean nothing here: one asks for less, and one would guard.
            for date in "$D" 'Sunday, 06-Nov-94 08:49:37 GMT' \
                'Sun Nov  6 08:49:37 1994'; do
                ask "$U$P" -H "If-Modified-Since: $date"; want 200
                ask "$U$N/files/cur" -H 'Range: bytes=0-0' \
                    -H "If-Range: $date"; want 200
                json PUT $P '{"text":"x"}' -H "If-Modified-Since: $date"
                only 400 If-Modified-Since
                json PUT $P '{"text":"x"}' -H "If-Unmodified-Since: $date"
                only 400 If-Unmodified-Since
            done
            ask "$U$P"; want 200 '"text":"one"'
            [ "$(header etag)" = "$one" ] || fail "$(told)"
            ask "$U$N/types/book/c"; want 404
        ]])
    end)

    it('is said once, and is not empty', function()
        bank([[
            "$ATE" key new eve >/dev/null
            pay() {
                pointer=$1
                shift
                json POST /v1/bank/methods/transfer \
                    '{"from":"alice","to":"bob","amount":"1"}' "$@"
                want 400 "\"pointer\":\"/$pointer\"" '"code":"INVALID"'
            }
            for name in Ate-As Ate-Act-For Ate-Context Idempotency-Key; do
                pay $name -H "$name;"
                grep -q "$name is empty; leave it out" body || fail "$(told)"
                ask "$U/v1/bank/types/account/bob" -H "$name;"; want 400
            done
            pay Ate-As -H 'Ate-As: me' -H 'Ate-As: eve'
            pay Ate-As -H 'Ate-As: me' -H 'ate-as: me'
            pay Ate-Act-For -H 'Ate-Act-For: a' -H 'Ate-Act-For: b'
            pay Ate-Context -H 'Ate-Context: {}' -H 'Ate-Context: {}'
            pay Idempotency-Key -H 'Idempotency-Key: a' -H 'Idempotency-Key: b'
            pay Authorization -H 'Authorization: Bearer x'
            pay Content-Type -H 'Content-Type: text/plain'
            pay ate-actfor -H 'Ate-Actfor: eve'
            grep -q 'Ate-Act-For and Ate-Context' body || fail "$(told)"
            json PATCH /v1/bank/types/account/bob '{}' -H 'If-Match: "1.0"' \
                -H 'If-Match: *'
            want 400 '"pointer":"/If-Match"'
            # Lists may have several lines.
            ask "$U/v1/bank" -H 'Accept: text/x' -H 'Accept: application/json'
            want 200
            ask "$U/v1/bank/views/balance?account=bob"; want 200 '"items":[]'
        ]])
    end)

    it('has no blanks at its ends', function()
        run.write(run.dir .. '/blanks.py', [=[
import json, socket, sys
host, port = sys.argv[1].split(':')
GIVE = b'{"from":"alice","to":"bob","amount":"1"}'

def pay(*lines):
    s = socket.create_connection((host, int(port)))
    s.settimeout(30)
    s.sendall(b'\r\n'.join((b'POST /v1/bank/methods/transfer HTTP/1.1',
        b'host: a', b'connection: close', b'content-length: %d' % len(GIVE))
        + lines) + b'\r\n\r\n' + GIVE)
    out = b''
    while True:
        got = s.recv(65536)
        if not got:
            head, told = out.split(b'\r\n\r\n', 1)
            assert b' 200 ' in head.split(b'\r\n')[0], out
            return json.loads(told)['tx']
        out += got

KEY = b'authorization: bearer %s' % sys.argv[2].encode()
JSON = b'content-type: application/json'
one = pay(KEY, JSON, b'idempotency-key: a', b'ate-as: me')
for blank in (b' ', b'\t', b'  \t '):
    assert one == pay(KEY + blank, JSON + blank,
                      b'idempotency-key:' + blank + b'a' + blank,
                      b'ate-as:' + blank + b'me' + blank), blank
print('once')
]=])
        assert.equal('once\n', bank([[
            python3 blanks.py "${U#http://}" "$K" || fail blanks
        ]]))
    end)

    it('is a body as it is, and in no other encoding', function()
        bank([[
            for encoding in gzip br deflate 'identity, gzip' x; do
                json POST /v1/bank/methods/transfer \
                    '{"from":"alice","to":"bob","amount":"1"}' \
                    -H "Content-Encoding: $encoding"
                want 415 '"code":"UNSUPPORTED_MEDIA_TYPE"' \
                    '"pointer":"/Content-Encoding"'
            done
            json POST /v1/bank/methods/transfer \
                '{"from":"alice","to":"bob","amount":"1"}' \
                -H 'Content-Encoding: Identity'
            want 200
            ask "$U/v1/bank/views/balance?account=bob"; want 200 '"1.00"'
        ]])
    end)
end)

describe('a read that is repeated', function()
    it('costs no call, and is never older than what somebody wrote', function()
        bank([[
            kept() {
                curl -sS "$M/metrics" | sed -n 's/^ate_rest_kept_total //p'
            }
            B="$U/v1/bank/views/balance?account=bob"
            A=$U/v1/bank/types/account/bob
            # Until it is open, and its schema was looked at.
            until [ "$(kept)" -gt 0 ]; do ask "$B"; want 200; done
            start=$(kept)
            ask "$A"; want 200; one=$(header etag); cp body first
            [ "$(kept)" = "$start" ] || fail "$(kept) kept"
            ask "$A"; want 200; cmp body first || fail "$(told)"
            [ "$(header etag)" = "$one" ] || fail "$(told)"
            [ "$(header cache-control)" = 'private, no-cache' ] ||
                fail "$(told)"
            ask "$A" -H "If-None-Match: $one"; want 304
            ask -I "$A"; want 200
            [ "$(header content-length)" = "$(wc -c <first)" ] ||
                fail "$(told)"
            [ "$(kept)" = $((start + 3)) ] || fail "$(kept) kept"

            curl -sS -o body "$A"
            grep -q '"code":"UNAUTHORIZED"' body || fail "$(cat body)"
            ask "$A" -H 'Accept: text/plain'; want 406
            ask "$A" -H 'Ate-As: node'; want 200
            ask "$A" -X GET -d '{}' ; want 400
            [ "$(kept)" = $((start + 3)) ] || fail "$(kept) kept"

            for i in 1 2 3 4 5; do
                "$ATE" call bank transfer from=alice to=bob amount=0.5 \
                    >/dev/null
                ask "$B"; want 200 "\"$((i - 1)).50\""
                json POST /v1/bank/methods/transfer \
                    '{"from":"alice","to":"bob","amount":"0.50"}'; want 200
                ask "$B"; want 200 "\"$i.00\""
                ask "$B"; want 200 "\"$i.00\""
            done
            [ "$(kept)" -le $((start + 8)) ] || fail "$(kept) kept"
        ]])
    end)

    it('is what its address and headers say, page by page', function()
        notes([[
            json PUT $N/types/book/b '{}'; want 200
            for i in 1 2 3; do
                json PUT $N/types/book/b$i '{}'; want 200
                for again in 1 2; do
                    ask "$U$N/types/book?limit=2"; want 200 '"name":"b1"'
                    next=$(header link)
                    ask "$U$N/types/book?limit=2"; want 200 '"name":"b1"'
                    [ "$(header link)" = "$next" ] || fail "$(told)"
                    ask "$U$N/types/book"; want 200 "\"b$i\""
                done
            done
            [ -n "$next" ] || fail "$(told)"
            ask "$U$N/checkpoint"; cp body one
            json PUT $N/types/book/c '{}'; want 200
            ask "$U$N/checkpoint"; ! cmp -s body one || fail "$(told)"
            for times in 2 3 2 3; do
                ask "$U$N/methods/say?word=a&times=$times"
                want 200 "$(printf '"%.*s"' $times aaa)"
            done
        ]])
    end)

    it('is another page when there is a next one now', function()
        notes([[
            again=0
            add() { json PUT $N/types/note/$1 '{"text":"x"}'; want 200; }
            for book in a b; do
                json PUT $N/types/book/$book '{}'; want 200
            done
            add b/1; add b/2
            for page in 'types/note?parent=b&limit=2' \
                'views/stars?after=b&limit=2'; do
                ask "$U$N/$page"; want 200 '"next":null'; one=$(header etag)
                add a/$((again += 1))
                ask "$U$N/$page" -H "If-None-Match: $one"; want 304
                add b/$((3 + again))
                ask "$U$N/$page" -H "If-None-Match: $one"; want 200 '"next":"'
                one=$(header etag)
                add b/$((4 + again))
                ask "$U$N/$page" -H "If-None-Match: $one"; want 304
                for i in 3 4; do
                    json DELETE $N/types/note/b/$((i + again)); want 200
                done
                again=$((again + 2))
            done
        ]])
    end)

    local WRITES = [[
paths:method('a', {
    doc = 'Write it down.', mode = 'write', returns = t.text({max = 9}),
    rest = 'PUT /one', run = function(ctx)
        ctx:create('thing', {name = 'got'})
        return 'got'
    end,
})
]]
    --- A chain `paths`, served by a script; two.lua has its paths exchanged,
    -- and in three.lua one of them writes.
    local function paths(text)
        run.write(run.dir .. '/one.lua', PATHS:format(1, 'one', 'two'))
        run.write(run.dir .. '/two.lua', PATHS:format(2, 'two', 'one'))
        local three = PATHS:format(2, 'one', 'two')
            :gsub("tells%('a'[^\n]*\n", function() return WRITES end)
        run.write(run.dir .. '/three.lua', three)
        run.ok('chain', 'create', 'paths', '--schema', run.dir .. '/one.lua')
        rest.script([[
            kept() {
                curl -sS "$M/metrics" | sed -n 's/^ate_rest_kept_total //p'
            }
            # twice PATH TEXT: until it comes from what is kept
            twice() {
                before=$(kept)
                until [ "$(kept)" != "$before" ]; do
                    ask "$U/v1/paths$1"; want 200 "$2"
                done
            }
            open_rest
        ]] .. text .. '\nstop\n')
    end

    it('is what a GET was answered, whatever else the address takes', function()
        paths([[
            twice /one '"A"'
            ask -X POST "$U/v1/paths/one"; want 200 '"posted"'
            ask "$U/v1/paths/one"; want 200 '"A"'
            ask -X DELETE "$U/v1/paths/one"; want 200 '"deleted"'
            ask "$U/v1/paths/one"; want 200 '"A"'
            things=$U/v1/paths/types/thing
            for i in 1 2 3; do
                ask -I -H 'Accept: text/event-stream' "$things"; want 200
            done
            status=$(curl -sS -m 1 -D head -o body -w '%{http_code}' \
                -H "Authorization: Bearer $K" \
                -H 'Accept: text/event-stream' "$things") || :
            [ "$(header content-type)" = text/event-stream ] || fail "$(told)"
        ]])
    end)

    it('never writes, though its method has come to', function()
        paths([[
            twice /one '"A"'
            "$ATE" schema apply paths three.lua >/dev/null
            ask "$U/v1/paths/one"; want 405
            ask "$U/v1/paths/types/thing"; want 200 '"items":[]'
            ask -X PUT "$U/v1/paths/one"; want 200 '"result":"got"'
        ]])
    end)

    it('is of the schema in force', function()
        paths([[
            twice /one '"A"'
            twice /two '"B"'
            "$ATE" schema apply paths two.lua >/dev/null
            ask "$U/v1/paths/one"; want 200 '"B"'
            ask "$U/v1/paths/two"; want 200 '"A"'
            twice /one '"B"'
            twice /two '"A"'
        ]])
    end)

    it('names who has a name by now', function()
        bank([[
            ATE_DATA=$PWD/theirs "$ATE" key new pal >/dev/null
            ATE_DATA=$PWD/theirs "$ATE" key show pal --public >pal.pub
            id=$(ATE_DATA=$PWD/theirs "$ATE" key show pal --json |
                sed 's/.*"id":"\(key:\)*\([0-9a-f]*\)".*/\2/')
            "$ATE" call bank account.put name=kim owner=key:$id >/dev/null
            A=$U/v1/bank/types/account/kim
            for i in 1 2 3; do ask "$A"; want 200 "key:$id"; done
            "$ATE" key add friend pal.pub >/dev/null
            for i in 1 2 3; do ask "$A"; want 200 '"owner":"friend"'; done
        ]])
    end)
end)

describe('pages', function()
    it('go on where they ended, whatever is written meanwhile', function()
        notes([[
            json PUT $N/types/book/b '{}'
            for i in 1 2 3 4 5; do
                json PUT $N/types/note/b/$i "{\"text\":\"$i\"}"; want 200
            done
            ask "$U$N/types/note?limit=2"; want 200 '"b/1"' '"b/2"' '"position":'
            first=$(sed 's/.*"position":\([0-9]*\).*/\1/' body)
            next=$(header link | sed 's/<\(.*\)>; rel="next"/\1/')
            json DELETE $N/types/note/b/2; want 200
            json PUT $N/types/book/0 '{}'; want 200
            ask "$U$next"; want 200 '"b/3"' '"b/4"' "\"position\":$first"
            next=$(header link | sed 's/<\(.*\)>; rel="next"/\1/')
            ask "$U$next"; want 200 '"b/5"' '"next":null'
            ask "$U$N/events?after=$first"; want 200 '"change":"delete"'
            ask "$U$N/types/note?order=last&limit=1"; want 200 '"b/5"'
            ask "$U$N/types/note?parent=b&limit=1"; want 200 '"b/1"'
            for i in 1 2 3; do json PUT $N/types/book/x$i '{}'; done
            for i in 1 2 3; do
                json PUT $N/types/note/x$i/1 '{"text":"x"}'; want 200
            done
            seen=
            next="$N/views/count?limit=1"
            while [ -n "$next" ]; do
                ask "$U$next"; want 200
                seen="$seen $(sed 's/.*"book":"\([^"]*\)".*/\1/' body)"
                next=$(header link | sed 's/<\(.*\)>; rel="next"/\1/')
            done
            case $seen in *' b') ;; *) fail "$seen" ;; esac
            [ "$(echo $seen | tr ' ' '\n' | sort | tr '\n' ' ')" = \
                'b x1 x2 x3 ' ] || fail "$seen"
            # A filter stays, also on a column that is called like a parameter.
            next="$N/views/stars?after=b&limit=1" seen=
            while [ -n "$next" ]; do
                ask "$U$next"; want 200 '"after":"b"'
                seen="$seen$(sed 's/.*"number":\([0-9]*\).*/\1/' body)"
                next=$(header link | sed 's/<\(.*\)>; rel="next"/\1/')
            done
            [ "$seen" = 1345 ] || fail "$seen"
            ask "$U$N/events?after=1&limit=2"; want 200 '"index":3'
            next=$(header link)
            case $next in *after=*) fail "$next" ;; esac
            all=
            next="$N/events?limit=3"
            while [ -n "$next" ]; do
                ask "$U$next"; want 200
                all="$all$(grep -o '"index":[0-9]*' body)
"
                next=$(header link | sed 's/<\(.*\)>; rel="next"/\1/')
            done
            echo "$all" | sed -n 's/"index"://p' >indices
            seq 0 "$(tail -1 indices)" | cmp - indices || fail "$(cat indices)"
            ask "$U$N/events/0"; want 200 '"method":"genesis"'
            ask "$U$N/events/9999"; want 404
        ]])
    end)
end)

describe('proofs', function()
    it('are C2SP files that the command line believes', function()
        bank([[
            json POST /v1/bank/methods/transfer \
                '{"from":"alice","to":"bob","amount":"5"}'
            want 200
            index=$(sed 's/.*"index":\([0-9]*\).*/\1/' body)
            ask "$U/v1/bank/proof/$index"; want 200
            "$ATE" proof check body >report || fail "$(cat report)"
            grep -q transfer report || fail "$(cat report)"
            ask "$U/v1/bank/checkpoint"; want 200
            [ "$(sed -n 2p body)" = $((index + 1)) ] || fail "$(told)"
            ask -H 'Accept: application/json' "$U/v1/bank/checkpoint"
            want 200 '"vkey":"'
            "$ATE" chain publish bank tree >/dev/null || fail publish
            width=$((index + 1))
            ask "$U/v1/bank/tile/0/000.p/$width"; want 200
            cmp body tree/tile/0/000.p/$width || fail 'another tile'
            ask "$U/v1/bank/tile/entries/000.p/$width"; want 200
            cmp body tree/tile/entries/000.p/$width || fail 'other entries'
            case $(header cache-control) in *immutable*) ;; *) fail "$(told)" ;;
            esac
            ask "$U/v1/bank/proof/consistency?from=2"; want 200 '"hashes":'
            ask "$U/v1/bank/proof/9999"; want 404
            for tile in 0 0/0 0/x001 99/000 0/000.p/0 0/000.p/256 entries/1; do
                ask "$U/v1/bank/tile/$tile"; want 404
            done
        ]])
    end)
end)
