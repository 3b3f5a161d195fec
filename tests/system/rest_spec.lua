--- ate serve --rest: chains by HTTP, driven by curl and by hand.
local run = require('helper')
local ate = require('ate')

before_each(run.begin)
after_each(run.finish)

local WITHOUT = run.is_without('rest')
if WITHOUT then
    describe('a build without REST', function()
        it('says so', function()
            run.fails(7, 'built without REST', 'serve', '--rest', '0')
        end)
    end)
    return
end

local PRELUDE = [[
set -u
children=
cleanup() {
    for pid in $children; do
        kill -CONT "$pid" 2>/dev/null
        kill -KILL "$pid" 2>/dev/null
    done
    wait
}
trap cleanup EXIT
fail() {
    echo "$*" >&2
    exit 99
}
stop() {
    kill -TERM "$daemon"
    wait "$daemon"
    code=$?
    [ $code -eq 0 ] || fail "the daemon ended with $code: $(cat serve.err)"
}
. ]] .. run.quote(run.root .. '/tests/system/rest.sh') .. '\n'

local NOTES = [[
local ate = require('ate')
local t = ate.types
local notes = ate.schema('notes', {doc = 'Notes.', version = 1})
notes:object('book', {
    doc = 'A book of notes.', key = {'name'},
    header = {name = t.name({max = 40})},
})
notes:object('note', {
    doc = 'A note.', parent = 'book', key = {'number'},
    header = {
        book = t.ref('book'), number = t.integer({min = 1}),
        stars = t.default(t.integer(), 0),
        tags = t.default(t.list(t.text({max = 20})), {}),
    },
    body = {text = t.text({max = 100000})},
})
notes:object('picture', {
    doc = 'A picture.', key = {'name'},
    header = {name = t.name({max = 40})}, body = t.blob({max = 1000}),
})
notes:event('seen', {
    doc = 'A note was read.', header = {note = t.ref('note')},
})
notes:view('count', {
    doc = 'Notes of a book.', key = {'book'}, order = {'notes'},
    row = {book = t.ref('book'), notes = t.default(t.integer(), 0)},
    fold = {
        note = function(rows, note)
            if note.change == 'new' then
                rows:add(note.book, {notes = 1})
            end
        end,
    },
})
notes:method('say', {
    doc = 'Say it.', mode = 'read',
    args = {
        word = t.text({max = 10}), times = t.integer({min = 1, max = 3}),
        loud = t.default(t.boolean(), false),
    },
    returns = t.text({max = 100}), rest = 'GET /say/{word}',
    run = function(_, args)
        local out = ''
        for _ = 1, args.times do
            out = out .. args.word
        end
        return args.loud and out .. '!' or out
    end,
})
notes:method('sum', {
    doc = 'Add up.', mode = 'read', args = {all = t.list(t.integer())},
    returns = t.integer(),
    run = function(_, args)
        local sum = 0
        for _, one in ipairs(args.all) do
            sum = sum + one
        end
        return sum
    end,
})
notes:method('jot', {
    doc = 'Jot down.', mode = 'write',
    args = {
        book = t.ref('book'), number = t.integer(), text = t.text({max = 1000}),
    },
    returns = t.text({max = 1000}), content = 'text',
    rest = 'PUT /jot/{book}/{number}',
    run = function(ctx, args)
        ctx:put('note', args)
        return args.text
    end,
})
return notes
]]

--- Run a script; it has to end with 0.
local function script(text)
    return run.script(PRELUDE .. text).out
end

--- With a chain `bank` that has an annotated method, served.
local function bank(text, options)
    run.bank()
    return script(('open_rest %s\n'):format(options or '') .. text
        .. '\nstop\n[ ! -s serve.err ] || fail "$(cat serve.err)"')
end

local function notes(text)
    run.write(run.dir .. '/notes.lua', NOTES)
    run.ok('chain', 'create', 'my/notes', '--schema', run.dir .. '/notes.lua')
    return script('open_rest\nN=/v1/my/notes\n' .. text
        .. '\nstop\n[ ! -s serve.err ] || fail "$(cat serve.err)"')
end

describe('the REST door', function()
    it('is closed to who has no key', function()
        bank([[
            bare "$U/v1/bank/types/account"
            want 401 '"code":"UNAUTHORIZED"' 'ate key bearer'
            [ "$(header www-authenticate)" = 'Bearer realm="ate"' ] || fail "$(told)"
            bare -H "Authorization: Bearer ${K}x" "$U/v1"; want 401
            bare -H "Authorization: Bearer ate_" "$U/v1"; want 401
            bare -H "Authorization: Basic $K" "$U/v1"; want 401
            bare -H "Authorization: bearer $K" "$U/v1"; want 200 '"bank"'
            bare "$U/v1/nix/of/this"; want 401
            [ "$(stat -c %a data/bearer)" = 600 ] || fail 'others may read it'
            old=$K
            K=$("$ATE" key bearer --new)
            [ "$K" != "$old" ] || fail 'it is the same'
            ask "$U/v1"; want 200
            K=$old
            ask "$U/v1"; want 401
            chmod 640 data/bearer
            "$ATE" key bearer 2>err && fail 'others may read it'
            grep -q 'others may read it' err || fail "$(cat err)"
        ]])
    end)

    it('reads and writes what is declared', function()
        notes([[
            json PUT $N/types/book/a%20b '{}'
            want 200 '"result":"a b"'
            json POST $N/types/note '{"book":"a b","number":1,"text":"one"}'
            want 201 '"result":"a b/1"' '"receipt":"'
            place=$(header location)
            [ "$place" = /v1/my/notes/types/note/a%20b/1 ] || fail "$place"
            ask "$U$place"
            want 200 '"text":"one"' '"id":"a b/1"' '"number":1'
            ask "$U$N/types/note/a%20b%2F1"; want 200 '"text":"one"'
            json PUT $N/types/note/a%20b/2 '{"text":"two","number":2}'; want 200
            json PUT $N/types/note/a%20b/2 '{"text":"two","number":3}'
            want 400 '"pointer":"/number"'
            json PATCH $N/types/note/a%20b/2 '{"stars":5}'; want 200
            ask "$U$N/types/note/a%20b/2"; want 200 '"stars":5' '"text":"two"'
            ask "$U$N/history/note/a%20b/2"
            want 200 '"change":"edit"' '"change":"new"'
            json DELETE $N/types/note/a%20b/2; want 200 '"result":null'
            ask "$U$N/types/note/a%20b/2"; want 404 '"code":"NOT_FOUND"'
            json POST $N/types/seen '{"note":"a b/1"}'; want 201
            ask "$U$(header location)"; want 200 '"note":"a b/1"'
            json POST $N/types/note '{"book":"a b","number":1,"text":"x"}'
            want 409 '"code":"CONFLICT"'
            json PUT $N/types/picture/p '{"body":"00fF"}'; want 200
            ask "$U$N/types/picture/p"; want 200 '"body":"00ff"'
            for wrong in AP8= 0 0g; do
                json PUT $N/types/picture/p "{\"body\":\"$wrong\"}"
                want 400 'in text as hexadecimal digits'
            done
            # What one door shows, the other takes.
            printf '\276\357' >beef
            "$ATE" call my/notes picture.put name=q body=@beef >/dev/null ||
                fail 'bytes of a file'
            ask "$U$N/types/picture/q"; want 200 '"body":"beef"'
            "$ATE" get my/notes picture q --json | grep -q '"body":"beef"' ||
                fail "$("$ATE" get my/notes picture q --json)"
            "$ATE" call my/notes picture.put --args '{"name":"r","body":"beef"}' \
                >/dev/null || fail 'digits as an argument'
            ask "$U$N/types/picture/r"; want 200 '"body":"beef"'
            ask "$U$N/views/count?book=a%20b"; want 200 '"notes":2'
            ask "$U$N/views/count?notes=7"; want 200 '"items":[]'
            ask "$U$N/views/count?sum=notes"; want 200
            [ "$(cat body)" = 2 ] || fail "$(told)"
            ask "$U$N/views"; want 200 '"name":"count"'
            ask "$U$N/types"; want 200 '"name":"note"'
            ask "$U$N/methods"; want 200 '"rest":"GET /say/{word}"'
            ask "$U$N"; want 200 '"name":"my/notes"'
            ask "$U/v1"; want 200 '"name":"my/notes"'
        ]])
    end)

    it('calls methods by name and by their annotation', function()
        notes([[
            ask "$U$N/say/h%C3%B6?times=2"; want 200
            [ "$(cat body)" = '"höhö"' ] || fail "$(told)"
            ask "$U$N/methods/say?word=a&times=1&loud=true"; want 200 '"a!"'
            json POST $N/methods/say '{"word":"b","times":3}'; want 200 '"bbb"'
            ask "$U$N/methods/sum?all=1,2,39"; want 200 42
            json POST $N/methods/sum '{"all":[]}'; want 200 0
            json PUT $N/types/book/b '{}'; want 200
            ask -X PUT -H 'Content-Type: text/plain' --data-binary 'Ä
' "$U$N/jot/b/9"
            want 200 '"result":"Ä\n"'
            json PUT $N/jot/b/10 '{"text":"json"}'; want 200 '"result":"json"'
            ask "$U$N/types/note/b/9"; want 200 '"text":"Ä\n"'
            ask "$U$N/methods/note.list?book=b"; want 200 '"id":"b/10"'
            json POST $N/methods/note.delete '{"id":"b/10"}'; want 200
            json GET $N/methods/jot; want 405
            [ "$(header allow)" = 'POST, OPTIONS' ] || fail "$(told)"
            ask -X OPTIONS "$U$N/types/note/b/9"; want 204
            [ "$(header allow)" = 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS' ] ||
                fail "$(told)"
            ask -I "$U$N/types/note/b/9"; want 200
            [ "$(header content-length)" -gt 100 ] || fail "$(told)"
        ]])
    end)

    it('refuses what is wrong, and names the field', function()
        notes([[
            J='Content-Type: application/json'
            json PUT $N/types/book/b '{}'; want 200
            json PUT $N/types/note/b/1 '{"text":1}'; want 400 '"pointer":"/text"'
            json PUT $N/types/note/b/1 '{}'; want 400 '"pointer":"/text"'
            json PUT $N/types/note/b/1 '{"text":"x","nix":1}'
            want 400 '"pointer":"/nix"'
            json PUT $N/types/note/b/1 '{"text":"a","text":"b"}'
            want 400 'duplicate object key'
            json PUT $N/types/note/b/1 '{"text":"x","stars":9007199254740993}'
            want 400 '"pointer":"/stars"' '2^53'
            json PUT $N/types/note/b/1 '{"text":"x","stars":1.5}'
            want 400 '"pointer":"/stars"'
            json PUT $N/types/note/b/1 '{"text":"x","tags":["a",1e400]}'
            want 400
            json PUT $N/types/note/b/1 '{"text":"x","tags":["a",{"x":1.5}]}'
            want 400 '"pointer":"/tags/1/x"'
            json PUT $N/types/note/b/1 '["x"]'; want 400 'object of arguments'
            json PUT $N/types/note/b/1 '{"text":'; want 400 'no JSON'
            printf '{"text":"\377"}' >bad
            ask -X PUT -H "$J" --data-binary @bad "$U$N/types/note/b/1"
            want 400 'no JSON'
            printf '{"text":"a\\u0000b"}' >bad
            ask -X PUT -H "$J" --data-binary @bad "$U$N/types/note/b/1"; want 400
            ask -X PUT -H 'Content-Type: text/plain' -d x "$U$N/types/note/b/1"
            want 415 UNSUPPORTED_MEDIA_TYPE
            ask -H 'Accept: text/html' "$U$N/types/note"; want 406
            ask -H 'Accept: text/html, application/json;q=0' "$U$N/types/note"
            want 406
            ask -H 'Accept: text/html, */*;q=0.1' "$U$N/types/note"; want 200
            ask -H 'Accept: text/event-stream' "$U$N/checkpoint"; want 406
            ask -X DELETE "$U$N/types/note"; want 405
            [ "$(header allow)" = 'GET, HEAD, POST, OPTIONS' ] || fail "$(told)"
            ask -X BREW "$U$N/types/note"; want 405
            ask "$U$N/types/nix"; want 404 "no type 'nix'"
            ask "$U$N/nix/at/all"; want 404
            ask "$U/v1/nix"; want 404
            ask "$U/"; want 404
            ask "$U$N/types/note?nix=1"; want 400 '"pointer":"/nix"'
            ask "$U$N/types/note?limit=0"; want 400 '"pointer":"/limit"'
            ask "$U$N/types/note?limit=1001"; want 400
            ask "$U$N/types/note?limit=1&limit=2"; want 400 twice
            ask "$U$N/types/note?cursor=nonsense"; want 400 '"pointer":"/cursor"'
            ask "$U$N/say/a?times=x"; want 400 '"pointer":"/times"'
            ask "$U$N/say/a?times=9"; want 400 '"pointer":"/times"'
            ask "$U$N/say/a?times=1&word=b"; want 400 '"pointer":"/word"'
            ask "$U$N/views/count?nix=1"; want 400 '"pointer":"/nix"'
            ask -X GET -d x "$U$N/types/note"; want 400
            for path in '/v1/../v1' '/v1/my/notes/types/%2e%2e/x' '/v1//my' \
                '/v1/my/notes/types/book/a%00b' '/v1/my/notes/types/book/%ff' \
                '/v1/my/notes/types/book/%zz' '/v1/my/notes/types/book/%4' \
                '/v1/my/notes//'; do
                ask --path-as-is "$U$path"; want 400
            done
            ask "$U$N/types/book/$(head -c 9000 /dev/zero | tr '\0' a)"
            want 414
            head -c 17000000 /dev/zero >big
            ask -X PUT -H "$J" -H 'Expect:' --data-binary @big \
                "$U$N/types/note/b/1"
            want 413 '"code":"TOO_LARGE"'
            ask "$U/problems/REFUSED"; want 200 '"status":422'
            bare "$U/problems/NIX"; want 404
        ]])
    end)

    it('says which rule refused', function()
        bank([[
            json POST /v1/bank/methods/transfer \
                '{"from":"alice","to":"bob","amount":"500"}'
            want 422 '"rule":"too_deep"' 'alice would hold -500.00' \
                '"type":"/problems/REFUSED"' '"retryable":false'
            [ "$(header content-type)" = application/problem+json ] ||
                fail "$(told)"
            json POST /v1/bank/methods/transfer \
                '{"from":"bob","to":"alice","amount":"5"}'
            want 422 '"rule":"not_owner"'
            json POST /v1/bank/methods/transfer \
                '{"from":"bob","to":"alice","amount":"5"}' -H 'Ate-As: bob'
            want 200
            json POST /v1/bank/methods/transfer '{"from":"bob"}' -H 'Ate-As: eve'
            want 404 eve
        ]])
    end)
end)

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
        ]])
    end)
end)

describe('versions', function()
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
            json PUT $P '{"text":"x"}' -H 'If-Match: W/"1"'; want 412
            json PUT $P '{"text":"x"}' -H 'If-Match: nonsense'; want 400
            ask "$U$P"; want 200 '"text":"four"'
            ask "$U$N/types/note"; list=$(header etag)
            json PUT $N/types/book/c '{}'; want 200
            ask "$U$N/types/note" -H "If-None-Match: $list"; want 304
            json PATCH $P '{"text":"y"}' -H 'Prefer: return=minimal'; want 204
            ask "$U$N/types/note" -H "If-None-Match: $list"; want 200
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

    it('is cut off when it goes on asking and does not read', function()
        run.write(run.dir .. '/mute.py', [[
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
end)

describe('manners', function()
    it('are those of HTTP: ids, gzip, CORS by list', function()
        bank([[
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
            bare "$M/healthz"; want 200
            bare "$M/readyz"; want 200
            bare "$M/nix"; want 404
            bare -X POST "$M/metrics"; want 405
            bare "$M/metrics"; want 200 'ate_rest_requests_total{status="4xx"} 2'
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
        run.write(run.dir .. '/raw.py', [[
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
        (b'400', b'OPTIONS * HTTP/1.1\r\nhost: a\r\n' + END),
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
    said = talk(data)
    assert said.split(b' ')[1:2] == [status], (status, data[:60], said[:200])
    assert b'content-type: application/problem+json' in said, said
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
