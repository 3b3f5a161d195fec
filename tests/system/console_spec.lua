--- The web console: its files, `ate console`, and a browser that walks it.
--
-- The browser is Debian's, what drives it comes from npm, pinned by
-- tests/npm/package-lock.json, into $ATE_BUILD/npm. Where one of them is not
-- there, that part is skipped, and says so. Pictures stay in
-- $ATE_BUILD/console.
local run = require('helper')

before_each(run.begin)
after_each(run.finish)

if run.left_out('rest', describe, it) then
    return
end

local BUILD = os.getenv('ATE_BUILD') or run.root .. '/build'
local TOOLS = run.npm
local SHOTS = BUILD .. '/console'

local PRELUDE = run.PRELUDE .. '. '
    .. run.quote(run.root .. '/tests/system/rest.sh') .. '\n'

local function script(text)
    local done = run.shell(PRELUDE .. text)
    assert(done.code == 0, ('exit %d\nstdout: %s\nstderr: %s'):format(
        done.code, done.out, done.err))
    return done.out
end

local function has(command)
    return os.execute(command .. ' >/dev/null 2>&1') == 0
end

describe('a chain\'s files', function()
    it('come whole and in ranges, and no other file does', function()
        run.bank()
        script([[
            open_rest
            B=$U/v1/bank/files
            folder=$(dirname data/*/*/cur)
            ask "$B"; want 200 '"name":"cur"' '"name":"1.head"' '"size":64'
            ! grep -q verified body || fail "$(told)"
            ask "$B?limit=1"; want 200 '"1.body"'
            next=$(sed 's/.*"next":"\([^"]*\)".*/\1/' body)
            ask "$B?limit=1&cursor=$next"; want 200 '{"items":[{"name":"1.head"'
            ask "$B/1.head"; want 200
            cmp body "$folder/1.head" || fail 'not the file'
            ask -r 0-6 "$B/1.head"; want 206 ATELOG
            [ "$(header content-length)" = 7 ] || fail "$(told)"
            case $(header content-range) in
            'bytes 0-6/'*) ;;
            *) fail "$(told)" ;;
            esac
            ask -r -64 "$B/cur"; want 206; cmp body "$folder/cur" || fail -64
            ask -r 8- "$B/cur"; want 206; tail -c +9 "$folder/cur" | cmp - body
            ask -r 60-99 "$B/cur"; want 206
            [ "$(header content-range)" = 'bytes 60-63/64' ] || fail "$(told)"
            ask -r 64- "$B/cur"; want 416 RANGE_NOT_SATISFIABLE
            [ "$(header content-range)" = 'bytes */64' ] || fail "$(told)"
            for odd in 0-1,3-4 9-2 x-; do
                ask -H "Range: bytes=$odd" "$B/cur"; want 200
            done
            ask -I "$B/cur"; want 200
            [ "$(header content-length)" = 64 ] || fail "$(told)"
            ask "$B/1.body"; want 200; [ ! -s body ] || fail "$(told)"
            for no in verified 7.body 01.head 1.head.x large large/abc put \
                tiles%00 %2e%2e%2fcur lock ../cur; do
                ask --path-as-is "$B/$no"
                [ "$status" = 404 ] || [ "$status" = 400 ] || fail "$no: $(told)"
            done
            bare "$B/cur"; want 401
            ask -X POST "$B/cur"; want 405
            stop
        ]])
    end)

    -- Behind that stand zeros, over which the log goes on.
    it('end with what is durable, and can be gone on with', function()
        run.bank()
        script([[
            open_rest
            B=$U/v1/bank/files
            folder=$(dirname data/*/*/cur)
            pay() {
                seq "$1" | sed 's/.*/{"from":"alice","to":"bob","amount":"0.01"}/' |
                    "$ATE" call bank transfer --jsonl - >/dev/null || fail pay
            }
            pay 300
            ask "$B/1.head"; want 200; cp body copy
            size=$(wc -c <copy)
            ask "$B"; want 200 "{\"name\":\"1.head\",\"size\":$size}"
            [ "$(wc -c <"$folder/1.head")" -gt "$size" ] || fail 'no zeros'
            [ "$(tail -c 8 copy | od -An -tx1 | tr -d ' 0\n')" != '' ] || fail zeros
            pay 20
            ask -r "$size-" "$B/1.head"; want 206; cat body >>copy
            cp -r "$folder" mirror && cp copy mirror/1.head
            stop
            "$ATE" chain verify --path mirror >told 2>&1 || fail "$(cat told)"
            grep -q '^32[0-9] transactions' told || fail "$(cat told)"
            ! grep -q 'behind the last' told || fail "$(cat told)"
            [ "$(wc -c <"$folder/1.head")" = "$(wc -c <copy)" ] || fail 'not given back'
        ]])
    end)

    it('are streamed as far as the asker reads', function()
        run.bank()
        script([[
            cat >films.lua <<'END'
local ate = require('ate')
local t = ate.types
local films = ate.schema('films', {doc = 'Films.', version = 1, bodies = 'open'})
films:object('film', {
    doc = 'A film.', key = {'name'}, header = {name = t.name({max = 40})},
    body = t.blob({max = 100000000}),
})
return films
END
            "$ATE" chain create films --schema films.lua || fail create
            head -c 9000001 /dev/zero >film
            "$ATE" call films film.put name=a --body film || fail put
            open_rest
            ask "$U/v1/films/files"; want 200 '"name":"large/'
            name=$(grep -o 'large/[0-9a-f]*' body)
            ask "$U/v1/films/files/$name"; want 200
            cmp body data/*/*/"$name" || fail 'not the file'
            ask -r 4194300-4194309 "$U/v1/films/files/$name"; want 206
            [ "$(wc -c <body)" = 10 ] || fail "$(wc -c <body)"
            curl -s -H "Authorization: Bearer $K" "$U/v1/films/files/$name" |
                head -c 10 >/dev/null
            ask "$U/v1"; want 200
            stop
        ]])
    end)
end)

describe('the console', function()
    it('is served to everybody, with a strict policy, once', function()
        run.bank()
        script([[
            open_rest
            bare "$U/console/"; want 200 '<!doctype html>'
            header content-security-policy | grep -q "default-src 'none'" ||
                fail "$(told)"
            ! header content-security-policy | grep -q unsafe || fail "$(told)"
            [ "$(header cache-control)" = no-cache ] || fail "$(told)"
            etag=$(header etag)
            bare -H "If-None-Match: $etag" "$U/console/"; want 304
            ! grep -q '<script>\|<style\|onclick\|style=' body || fail "$(told)"
            main=$(grep -o '[0-9a-f]*/main.mjs' body ||
                { bare "$U/console/"; grep -o '[0-9a-f]*/main.mjs' body; })
            bare "$U/console/$main"; want 200 import
            header cache-control | grep -q immutable || fail "$(told)"
            header content-type | grep -q text/javascript || fail "$(told)"
            bare "$U/console/${main%/*}/vendor/preact.LICENSE"; want 200 MIT
            bare "$U/console"; want 302
            bare -H 'Accept: text/html' "$U/"; want 302
            [ "$(header location)" = /console/ ] || fail "$(told)"
            bare "$U/"; want 401
            bare "$U/console/nix"; want 404
            bare -X POST "$U/console/"; want 405
            bare "$U/metrics"; want 401
            ask "$U/metrics"; want 200 ate_rest_requests_total
            stop
        ]])
    end)

    it('is linked to by ate console while REST is served', function()
        run.bank()
        run.fails(7, 'ate serve %-%-rest PORT does', 'console')
        script([[
            open_rest
            [ "$("$ATE" console)" = "$U/console/#key=$K" ] || fail link
            "$ATE" console --json | grep -q "console/#key=$K" || fail json
            stop
            [ ! -e data/rest ] || fail 'the address stays'
            echo http://127.0.0.1:1 >data/rest
            "$ATE" serve >told 2>&1 & daemon=$!
            children="$children $daemon"
            until grep -q '^ready' told; do kill -0 $daemon || fail ended; done
            ! "$ATE" console 2>/dev/null || fail 'an address of another run'
            stop
        ]])
    end)

    it('can be made again from npm, byte for byte', function()
        if not has('command -v npm')
                or not has('timeout 60 npm ping --fetch-retries 0') then
            io.stderr:write('console_spec: SKIPPED, npm is not reachable: '
                .. 'make web was not compared\n')
            return
        end
        local done = run.shell(('%s/tools/web.sh work out && diff -r out '
            .. '%s/frontends/console/vendor'):format(run.quote(run.root),
            run.quote(run.root)))
        assert(done.code == 0, done.out .. done.err)
    end)
end)

describe('a browser', function()
    --- Chains to walk through: a bank, sales over time, a bank with a flipped
    -- byte, which is served read-only.
    local function prepare()
        run.bank()
        run.notes()
        script(([[
            "$ATE" call notes note.put name=b text='a long text' || fail notes
            "$ATE" chain create sales --schema %s/tests/console/sales.lua ||
                fail sales
            for day in 01 02 03 04 05; do
                "$ATE" call sales sold.append shop=north day=2026-03-$day \
                    amount=1$day.50 note='a day' >/dev/null || fail sold
                "$ATE" call sales sold.append shop=south day=2026-03-$day \
                    amount=2${day#0}.25 note='a day' >/dev/null || fail sold
            done
            "$ATE" chain create damaged --schema bank.lua \
                --accept accept-all,serializer,structured-logic || fail damaged
            "$ATE" call damaged account.put name=alice owner=me || fail put
            path=$("$ATE" chain path damaged)
            rm -f "$path/verified"
            printf '\377' | dd of="$path/1.head" bs=1 \
                seek=$(($(wc -c <"$path/1.head") - 120)) conv=notrunc \
                2>/dev/null || fail flip
        ]]):format(run.root))
    end

    local function walk(width, scheme)
        prepare()
        local out = script(([[
            open_rest
            shots=%s
            mkdir -p "$shots"
            grow=$shots/grow-%s-%s
            rm -f "$grow"
            node %s/tests/console/walk.mjs %s "$(command -v chromium)" \
                "$("$ATE" console)" "$shots" %s %s >walked 2>&1 &
            walk=$!
            children="$children $walk"
            until [ -e "$grow" ] || ! kill -0 $walk 2>/dev/null; do :; done
            rm -f "$grow"
            "$ATE" call bank transfer from=alice to=bob amount=1.00 >/dev/null
            wait $walk || fail "$(cat walked serve.err)"
            cat walked
            stop
        ]]):format(run.quote(SHOTS), width, scheme, run.quote(run.root),
            run.quote(TOOLS), width, scheme))
        assert.equal('walked\n', out)
    end

    if not has('command -v chromium') or not run.has_npm() then
        io.stderr:write('console_spec: SKIPPED, chromium, node or npm is not '
            .. 'there: no browser walked the console\n')
        return
    end
    for _, scheme in ipairs({'light', 'dark'}) do
        for _, width in ipairs({'1280', '360'}) do
            it(('walks it at %s pixels, %s'):format(width, scheme), function()
                walk(width, scheme)
            end)
        end
    end
end)
