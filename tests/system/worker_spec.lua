--- Workers, as people see them: with a server of the outside that answers, fails,
-- hangs and lies. Scripts end what they start, and nothing else.
local run = require('helper')
local ate = require('ate')

before_each(run.begin)
after_each(run.finish)

local PRELUDE = [[
set -u
children=
cleanup() {
    for pid in $children; do
        kill -KILL "$pid" 2>/dev/null
    done
    wait 2>/dev/null
}
trap cleanup EXIT
fail() {
    echo "$*" >&2
    exit 99
}
# outside [CERTIFICATE]: a server; $port is where.
outside() {
    : >log
    rm -f port
    mkfifo port
    python3 "$FIXTURES/outside.py" log "$@" >port 2>outside.err &
    children="$children $!"
    read -r port <port || fail "no server: $(cat outside.err)"
}
# config HOST [PRIVATE]: who may be asked.
config() {
    mkdir -p data
    echo "return {http = {hosts = {{host = '$1', headers = {['X-Secret'] = 'quite-secret-77'}}}," \
        "private = {${2:+\"$2\"}}}}" >data/ate.conf.lua
}
serve() {
    rm -f ready
    mkfifo ready
    "$ATE" serve "$@" >ready 2>>serve.err &
    daemon=$!
    children="$children $daemon"
    read -r line <ready || fail "the daemon said nothing: $(cat serve.err)"
}
stop() {
    kill -TERM "$daemon"
    wait "$daemon" || fail "the daemon ended with $?: $(cat serve.err)"
}
hooks() {
    "$ATE" chain create hooks --schema "$FIXTURES/hooks.lua" \
        --accept accept-all,serializer,structured-logic >/dev/null ||
        fail 'no chain'
}
want() {
    "$ATE" call hooks wanted.append "name=$1" "url=$2" ${3:+"till=$3"} >/dev/null
}
here() {
    want "$1" "http://127.0.0.1:$port/$2"
}
# until_there WORDS: until the output of a command has them, or a minute is over.
until_there() {
    words=$1
    shift
    tries=0
    until "$@" 2>/dev/null | grep -q -e "$words"; do
        tries=$((tries + 1))
        [ $tries -lt 500 ] || fail "no '$words' in: $("$@" 2>&1)"
    done
}
called() {
    "$ATE" list hooks called -o csv
}
]]

local function script(text)
    return run.script(('FIXTURES=%s\n'):format(run.quote(run.root
        .. '/tests/system/fixtures')) .. PRELUDE .. text).out
end

--- What the server was asked, in order.
local function asked()
    local list = {}
    for line in run.read(run.dir .. '/log'):gmatch('[^\n]+') do
        list[#list + 1] = ate.json.decode(line)
    end
    return list
end

local BEGIN = [[
    outside
    config "http://127.0.0.1:$port" 127.0.0.1
    hooks
]]

describe('workers', function()
    it('write what the order key may, and are told of its right', function()
        local out = script([[
            "$ATE" chain create hooks --schema "$FIXTURES/hooks.lua" \
                >/dev/null || fail create
            want a '' 2020-01-01
            "$ATE" worker run hooks && fail 'it had no right'
            "$ATE" grant hooks / create,write --to node >/dev/null || fail grant
            "$ATE" worker retry hooks all >/dev/null || fail retry
            "$ATE" worker run hooks || fail "run: $?"
        ]])
        assert.matches("takes 'create' on [^;\n]+; who has that right gives "
            .. 'it: ate grant hooks OBJECT RIGHT %-%-to WHO\n', out)
        assert.matches('\n1 done, 0 failed, 0 parked\n$', out)
    end)

    it('ask the outside once, and use what it answered', function()
        local out = script(BEGIN .. [[
            here a plain/x
            "$ATE" worker ls hooks
            "$ATE" worker run hooks
            "$ATE" worker run hooks
            called
            "$ATE" chain tail hooks
        ]])
        assert.matches('call +wanted +1 ', out)
        assert.matches('1 done, 0 failed, 0 parked\n0 done', out)
        assert.matches('a,n1,,200', out)
        assert.matches('ate%.work', out)
        local list = asked()
        assert.equal(1, #list)
        assert.matches('^"%x+"$', list[1].key)
        assert.equal('POST', list[1].method)
        assert.equal('{"list":[1,2],"name":"a"}', list[1].body)
        assert.equal('application/json', list[1].type)
        assert.equal('quite-secret-77', list[1].secret)
        run.ok('chain', 'verify', 'hooks')
        assert.matches('all as recorded', run.shell(('%s/checker/cli.mjs '
            .. '--strict %s'):format(run.root, run.path('hooks'))).out)
    end)

    it('keep what the configuration sets out of the log', function()
        script(BEGIN .. [[
            here a plain
            "$ATE" worker run hooks >/dev/null
            [ -f data/ate.conf.lua ] || fail 'no configuration'
            grep -q quite-secret-77 data/ate.conf.lua || fail 'no secret'
            if grep -rq quite-secret-77 data --include='*.head' --include='*.body'; then
                fail 'the secret is in the log'
            fi
        ]])
        assert.equal('quite-secret-77', asked()[1].secret)
    end)

    it('take no 409 for an answer when what they sent may be under way', function()
        local out = script(BEGIN .. [[
            here a busy
            here b taken
            for i in 1 2 3; do
                "$ATE" worker run hooks
            done
            called
        ]])
        assert.matches('busy answered 409', out)
        assert.matches('a,done,,200', out)
        assert.matches('b,taken,,409', out)
        assert.equal(4, #asked())
    end)

    it('ask again what failed, with the same key', function()
        local out = script(BEGIN .. [[
            here a twice
            for i in 1 2 3; do
                "$ATE" worker run hooks
                echo "exit $?"
            done
            called
        ]])
        assert.matches('failed  call 2%.0  UNAVAILABLE: http: '
            .. 'http://127.0.0.1:%d+/twice answered 503\n'
            .. '0 done, 1 failed, 0 parked\nexit 1', out)
        assert.matches('1 done, 0 failed, 0 parked\nexit 0', out)
        assert.matches('a,third,1%.5,200', out)
        local list = asked()
        assert.equal(3, #list)
        assert.equal(list[1].key, list[2].key)
        assert.equal(list[1].key, list[3].key)
    end)

    it('ask nobody whom the configuration does not name', function()
        local out = script([[
            outside
            hooks
            here a plain
            "$ATE" worker run hooks
            config "http://127.0.0.1:1" 127.0.0.1
            "$ATE" worker retry hooks all >/dev/null
            "$ATE" worker run hooks
            config "http://127.0.0.1:$port"
            "$ATE" worker retry hooks all >/dev/null
            "$ATE" worker run hooks
            "$ATE" worker ls hooks --parked
            cat log
        ]])
        assert.matches('parked .* INVALID: no service \'http\' on this node',
            out)
        assert.matches('DENIED: http: http://127.0.0.1:%d+ is none of the '
            .. 'hosts', out)
        assert.matches('DENIED: http: http://127.0.0.1:%d+/plain leads to an '
            .. 'address that is not public', out)
        assert.matches('wanted/a +parked %d+%.%d', out)
        assert.same({}, asked())
    end)

    it('refuse names that lead to this machine', function()
        local out = script([[
            outside
            config "http://localhost:$port"
            hooks
            want a "http://localhost:$port/plain"
            want b "http://user:pass@localhost:$port/plain"
            want c "ftp://localhost:$port/plain"
            want d "http://127.1:$port/plain"
            for i in 1 2 3 4; do
                "$ATE" worker run hooks
            done
        ]])
        assert.matches('localhost:%d+/plain leads to an address', out)
        assert.matches('INVALID: http: url .* names a user', out)
        assert.matches('is none of http or https', out)
        assert.matches('127.0.0.1:%d+ is none of the hosts', out)
        assert.same({}, asked())
    end)

    it('do not believe what lies', function()
        local out = script(BEGIN .. [[
            for what in huge away garbage short deep headers bytes once; do
                here "$what" "$what"
            done
            "$ATE" worker run hooks
            called
        ]])
        assert.matches('LIMIT: http: %S+/huge answered more than', out)
        assert.matches('LIMIT: http: %S+/headers answered more than', out)
        assert.matches('UNAVAILABLE: http: %S+/garbage', out)
        assert.matches('UNAVAILABLE: http: %S+/short', out)
        assert.matches('UNAVAILABLE: http: %S+/once', out) -- it hung
        assert.matches('away,,http://127.0.0.2/,302', out)
        assert.matches('deep,,,200', out)
        assert.matches('bytes,,,200', out)
        assert.matches('3 done, 3 failed, 2 parked', out)
    end)

    it('check certificates', function()
        local out = script([[
            openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem \
                -out cert.pem -days 2 -subj /CN=localhost \
                -addext subjectAltName=DNS:localhost 2>/dev/null
            cat key.pem cert.pem >both.pem
            outside both.pem
            config "localhost:$port" 127.0.0.1
            hooks
            want a "https://localhost:$port/plain"
            "$ATE" worker run hooks
            echo "return {http = {hosts = {'localhost:$port'}," \
                "private = {'127.0.0.1', '::1'}, ca = '$PWD/cert.pem'}}" \
                >data/ate.conf.lua
            "$ATE" worker run hooks
            called
        ]])
        assert.matches('UNAVAILABLE: http: https://localhost:%d+/plain: '
            .. '.*certificate', out)
        assert.matches('1 done', out)
        assert.matches('a,n1,,200', out)
        assert.equal(1, #asked())
    end)

    it('have what is parked tried again, or dropped', function()
        local out = script(BEGIN .. [[
            here a huge
            here b huge
            "$ATE" worker run hooks
            "$ATE" worker run hooks
            "$ATE" worker ls hooks
            places=$("$ATE" worker ls hooks --parked --json |
                sed -n 's/.*"parked":"\([0-9.]*\)".*/\1/p')
            set -- $places
            [ $# -eq 2 ] || fail "parked: $places"
            "$ATE" worker drop hooks "$1"
            "$ATE" worker retry hooks "$2"
            "$ATE" worker retry hooks "$2"
            echo "exit $?"
            "$ATE" worker ls hooks call
            "$ATE" worker ls hooks cal
            echo "exit $?"
            "$ATE" worker run hooks nobody
            echo "exit $?"
            "$ATE" worker run hooks call
            "$ATE" key new eve >/dev/null
            "$ATE" worker drop hooks all --as eve
            echo "exit $?"
        ]])
        assert.matches('call +wanted +0 +2 ', out)
        assert.matches('ate%.drop %d+%.%d +index', out)
        assert.matches('ate%.retry %d+%.%d +index', out)
        assert.matches('exit 3\n.*call +%d+%.0 +wanted/b +waiting', out)
        assert.matches('exit 3\nexit 3\n', out)
        assert.matches('exit 4\n$', out)
    end)

    it('refuse a configuration that is none', function()
        run.bank()
        for text, said in pairs({
            ['return {htp = {}}'] = "conf%.lua:1:9: there is no key 'htp'; did "
                .. 'you mean "http"',
            ['return {http = {host = {}}}'] = "no key 'http%.host'",
            ['return {http = {hosts = {1}}}'] = 'http%.hosts: is a list',
            ['return {http = {hosts = {"a b"}}}'] = "host 'a b': want",
            ['return {http = {private = {"10"}}}'] = "'10': want an address",
            ['return 1'] = 'want a table',
            ['return {'] = 'this is no data',
            ['return {http = os.exit()}'] = "'os' is no data",
        }) do
            run.write(run.data .. '/ate.conf.lua', text)
            run.fails(2, said, 'worker', 'run', 'bank')
            run.fails(2, said, 'serve')
        end
    end)
end)

describe('ate serve', function()
    it('lets workers work by themselves', function()
        local out = script(BEGIN .. [[
            here before plain
            serve
            until_there before,n1,,200 called
            here after twice
            until_there after,third called
            soon=$(date -u -d '+2 seconds' +%Y-%m-%dT%H:%M:%SZ)
            want due "" "$soon"
            want never "" 2999-01-01
            until_there due "$ATE" list hooks over
            "$ATE" list hooks over -o csv
            "$ATE" worker ls hooks
            stop
            cat serve.err
        ]])
        assert.matches('\ndue', out)
        assert.not_matches('never,', out)
        assert.matches('close +open%.till +1 +2999%-01%-01', out)
        local list = asked()
        assert.equal(4, #list)
        assert.equal(list[2].key, list[4].key)
    end)

    it('asks again after a crash, with the same key, and works once',
        function()
            local out = script(BEGIN .. [[
                serve
                here a once
                until_there once cat log
                kill -KILL "$daemon"
                wait "$daemon" 2>/dev/null
                serve
                until_there a,again called
                "$ATE" worker ls hooks
                stop
                "$ATE" chain verify hooks
            ]])
            assert.matches('call +wanted +0 +0 ', out)
            local list = asked()
            assert.equal(2, #list)
            assert.equal(list[1].key, list[2].key)
        end)

    it('does not wait for the outside when it ends', function()
        script(BEGIN .. [[
            serve
            here a once
            until_there once cat log
            stop
            serve
            until_there a,again called
            stop
        ]])
        assert.equal(2, #asked())
    end)

    it('runs workers for whoever asks', function()
        local out = script(BEGIN .. [[
            serve
            here a huge
            until_there ' 1 ' "$ATE" worker ls hooks
            until_there parked "$ATE" worker ls hooks call
            "$ATE" worker retry hooks all
            "$ATE" worker run hooks
            stop
        ]])
        assert.matches('0 failed', out)
    end)
end)
