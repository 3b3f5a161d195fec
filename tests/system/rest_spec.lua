--- Chains by HTTP, driven by curl: what is declared, called, refused.
local run = require('helper')
local rest = require('rest_helper')
local bank = rest.bank
local notes = rest.notes

before_each(run.begin)
after_each(run.finish)

if run.left_out('rest', describe, it) then
    return
end

describe('arguments that are missing', function()
    it('are pointed at, all of them', function()
        bank([[
            json POST /v1/bank/methods/transfer '{}'
            want 400 'amount (amount), from (ref account), to (ref account):' \
                '"pointer":"/amount"' '"pointer":"/from"' '"pointer":"/to"'
            json POST /v1/bank/types/transfer '{"from":"alice","amount":null}'
            want 400 '"pointer":"/amount"' '"pointer":"/to"'
            grep -q '"pointer":"/from"' body && fail "$(told)"
            json POST /v1/bank/methods/transfer '{"from":"alice","to":"bob"}'
            want 400 '"detail":"amount: is missing (amount)"' \
                '"errors":[{"pointer":"/amount",'
            json POST /v1/bank/types/account '{"name":1,"owner":"me"}'
            want 400 '"detail":"name: want text, got a number"' \
                '"pointer":"/name"'
        ]])
    end)
end)

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
            ask "$U$N/views/count?sum=notes&cursor=x"
            want 400 '"pointer":"/cursor"'
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
            json PUT $N/types/note/b/1 '{"text":"x","a/text~":1}'
            want 400 '"pointer":"/a~1text~0"'
            json PUT $N/types/note/b/1 '{"text":"x","stars":"the text"}'
            want 400 '"pointer":"/stars"'
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
            for list in types/note views/count events files; do
                for limit in 0 1001 -1 x ''; do
                    ask "$U$N/$list?limit=$limit"
                    want 400 '"pointer":"/limit"' \
                        "'limit' is a whole number from 1 to 1000, not '$limit'"
                done
                ask "$U$N/$list?limit=1000"; want 200
            done
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

    it('gives advice that who asks by HTTP can follow', function()
        bank([[
            # no_commands: none of the engine's calls and commands is told
            no_commands() {
                grep -qE 'chain\.ls|key\.new|ate key|the read' body &&
                    fail "$(told)"
                return 0
            }
            ask "$U/v1/nix"
            want 404 "no chain 'nix'; GET /v1 lists those there are" \
                '"reason":"no_chain"'
            no_commands
            ask "$U/v1/bank/files/nix"; want 404 'GET files lists them'
            no_commands
            json POST /v1/bank/types/account '{"name":"x","owner":"nobody"}'
            want 404 "no key 'nobody'; there are: bob, me (any other is key:<hex>)" \
                '"pointer":"/owner"'
            no_commands
            json POST /v1/bank/types/account '{"name":"x","owner":"me"}' \
                -H 'Ate-As: zoe'
            want 404 "\"no key 'zoe'\""; no_commands
            json POST /v1/bank/types/account '{"name":"x","owner":"me"}' \
                -H 'Ate-Act-For: zoe'
            want 404 "no key 'zoe'; there are: bob, me"; no_commands
            json POST /v1/bank/methods/ate.order \
                "{\"to\":\"key:$(printf %064d 1)\"}"
            want 404 "has the public key of key:$(printf %064d 1)\""; no_commands
        ]])
        run.script('mv data/keys/me.key data/keys/you.key')
        rest.script([[
            open_rest
            json POST /v1/bank/types/account '{"name":"x","owner":"you"}'
            want 404 'name another key (there are: bob, you)"'
            stop
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

describe('a PATCH', function()
    it('takes null for what is optional, and OpenAPI says so', function()
        notes([[
            json PUT $N/types/book/b '{"aside":"x"}'; want 200
            ask -X PATCH -H 'Content-Type: application/merge-patch+json' \
                -d '{"aside":null}' "$U$N/types/book/b"; want 200
            ask "$U$N/types/book/b"; want 200
            grep aside body && fail "$(told)"
            ask "$U$N/openapi.json"
            want 200 '"aside":{"type":["string","null"],"maxLength":40}' \
                '"application/merge-patch+json":{"schema"' IfThereIsNone
        ]])
    end)
end)

describe('a large body', function()
    it('is put in pieces, and named by a call', function()
        notes([[
            head -c 150001 /dev/urandom >film
            python3 - <<'END'
data = open('film', 'rb').read()
for i, at in enumerate((0, 70000, 140000)):
    piece = data[at:at + 70000].hex()
    open('piece%d' % i, 'w').write('{"id":"%s","offset":%d,"data":"%s"}'
                                   % ('0a' * 16, at, piece))
END
            PUT=$N/methods/ate.put ID=$(printf '0a%.0s' $(seq 16))
            sed -i 's/"offset":0,//' piece0 # which is where one begins
            json POST $PUT @piece0; want 200 '"offset":70000'
            json POST $PUT @piece0; want 409 'at offset 70000, not at 0'
            json POST $PUT "{\"id\":\"$ID\",\"offset\":-1,\"data\":\"00\"}"
            want 400 "'offset' says where the data begins"
            json POST $PUT @piece1; want 200 '"offset":140000'
            json POST $PUT "{\"id\":\"$ID\"}"; want 200 '"offset":140000'
            for wrong in 0 0g; do
                json POST $PUT "{\"id\":\"$ID\",\"offset\":140000,\"data\":\"$wrong\"}"
                want 400 'hexadecimal digits'
            done
            json POST $PUT @piece2; want 200 '"offset":150001'
            json POST $PUT "{\"id\":\"$ID\",\"end\":true}"
            want 200 '"length":150001'
            handle=$(grep -o '{"hash":[^}]*}' body)
            json POST $N/types/film "{\"name\":\"f\",\"body\":$handle}"; want 201
            ask "$U$N/types/film/f"; want 200 "\"body\":$handle"
            hash=$(echo "$handle" | cut -d'"' -f4)
            ask "$U$N/files/large/$hash"; want 200
            # Behind the bytes the file has hashes of its pieces.
            head -c 150001 body | cmp - film || fail 'other bytes'
        ]])
    end)
end)

describe('a name that nobody declared', function()
    it('is told with the one that may have been meant', function()
        notes([[
            meant() { # PATH [STATUS] NAME: it is the one
                ask "$U/v1/$1"; want "$2" "did you mean '$3'?"
            }
            meant my/ntoes 404 my/notes
            meant my/ntoes/types/book/b 404 my/notes
            meant my/notes/type/book 404 types
            meant my/notes/types/boook 404 book
            meant my/notes/history/boook/b 404 book
            meant my/notes/views/cuont 404 count
            meant my/notes/methods/suy 404 say
            meant 'my/notes/types/book?limt=1' 400 limit
            meant 'my/notes/views/count?boook=b' 400 book
            meant 'my/notes/views/count?limt=1' 400 limit
            meant 'my/notes/say/a?tmies=1' 400 times
            json POST $N/methods/say '{"wrd":"a","times":1}'
            want 400 "did you mean 'word'?" '"pointer":"/wrd"'
            json PUT $N/types/book/b '{"asde":"a"}'
            want 400 "did you mean 'aside'?" '"pointer":"/asde"'
            for path in other/types/book my/notes/types/x my/notes/views/x \
                my/notes/views/count/books 'my/notes/types/book?x=1'; do
                ask "$U/v1/$path"
                ! grep -q 'did you mean' body || fail "$(told)"
            done
        ]])
    end)
end)
