--- ate serve under a service manager: configuration, signals, log, sockets.
local run = require('helper')
local ate = require('ate')

before_each(run.begin)
after_each(run.finish)

local WITHOUT = run.is_without('rest')

local PRELUDE = [[
set -u
FIXTURES=]] .. run.quote(run.root .. '/tests/system/fixtures') .. [[

children=
cleanup() {
    for pid in $children; do kill -KILL "$pid" 2>/dev/null; done
    wait
}
trap cleanup EXIT
fail() {
    echo "$*" >&2
    exit 99
}
# until_says FILE TEXT: it stands there.
until_says() {
    tries=0
    until grep -qF -- "$2" "$1" 2>/dev/null; do
        kill -0 "$daemon" 2>/dev/null || fail "the daemon ended: $(cat log)"
        tries=$((tries + 1))
        [ $tries -lt 20000 ] || fail "no $2 in $1: $(cat "$1")"
    done
}
# serve OPTIONS: its stdout is `told`, its log `log`.
serve() {
    : >told
    "$ATE" serve "$@" >told 2>log &
    daemon=$!
    children="$children $daemon"
    until_says told ready
}
stop() {
    kill -TERM "$daemon"
    wait "$daemon"
    code=$?
    [ $code -eq 0 ] || fail "the daemon ended with $code: $(cat log)"
}
conf() {
    mkdir -p data
    cat >data/ate.conf.lua
}
chain() {
    "$ATE" chain create bank --schema bank.lua \
        --accept accept-all,serializer,structured-logic >/dev/null ||
        fail 'no chain'
}
]]

local function script(text)
    run.bank_schema()
    local done = run.shell(PRELUDE .. text)
    assert(done.code == 0, ('exit %d\nstdout: %s\nstderr: %s'):format(
        done.code, done.out, done.err))
    return done
end

--- Lines of a log as tables.
local function lines(text)
    local list = {}
    for line in text:gmatch('[^\n]+') do
        list[#list + 1] = assert(ate.json.decode(line), line)
    end
    return list
end

describe('the configuration', function()
    local function conf(text)
        os.execute('mkdir -p ' .. run.quote(run.data))
        return run.write(run.data .. '/ate.conf.lua', text)
    end

    it('is data, in which every mistake has a place', function()
        for text, said in pairs({
            ['return {rst = "1"}'] = ":1:9: there is no key 'rst'; did you mean "
                .. '"rest"',
            ['{\n  tls = {crt = "x"}}'] = ":2:10: there is no key 'tls%.crt'",
            ['{rest = 8080}'] = ":1:2: rest: is a text; write rest = '8080'",
            ['{plain = "yes"}'] = 'plain: is true or false',
            ['{log = "xml"}'] = "log: is 'json' or 'logfmt'",
            ['{cors = {a = "x"}}'] = 'cors: is a list of texts',
            ['{schemas = {"x"}}'] = 'schemas: is a table of files',
            ['{"rest"}'] = "there is no key '1'",
            ['{tls = "x"}'] = 'tls: is a table',
            ['{rest = "1", rest = "2"}'] = ":1:14: 'rest' stands here twice",
            ['{limits = {rest_bdy = 1}}'] = ":1:12: there is no key "
                .. "'limits%.rest_bdy'; did you mean \"rest_body\"",
            ['{limits = {rest_body = 1023}}'] = ':1:12: limits%.rest_body: is '
                .. 'a whole number of bytes from 1024 to 16777216',
            ['{limits = {rest_body = 16777217}}'] = 'from 1024 to 16777216',
            ['{limits = {rest_idle_s = 1.5}}'] = 'rest_idle_s: is a whole '
                .. 'number of seconds from 1 to 3600',
            ['{limits = {rest_call_s = "9"}}'] = 'of seconds from 1 to 600',
            ['{limits = {rest_request_s = 0}}'] = 'of seconds from 1 to 600',
            ['{limits = {rest_connections = -1}}'] = 'from 1 to 10000',
            ['{limits = {rest_streams = 1e9}}'] = 'from 1 to 10000',
            ['{limits = {socket_callers = 4097}}'] = 'from 1 to 4096',
            ['{limits = 3}'] = 'limits: is a table',
            ['{rest = ("1")}'] = ':1:9: this is no data',
            ['{rest = nil}'] = "'nil' is no data",
            ['{rest = "1" .. "2"}'] = ":1:13: want ',' or '}'",
            ['{rest = function() end}'] = "'function' is no data",
            ['{rest = "1'] = 'the text has no end on its line',
            ['{rest = [[1]'] = 'what begins here has no end',
            ['{rest = "\\q"}'] = 'no such escape',
            ['{rest = "\\999"}'] = 'is no byte',
            ['{end = 1}'] = "'end' is a word of Lua",
            ['{} x'] = 'something stands behind the table',
            ['while true do end'] = 'want a table',
            ['\27LJ'] = 'want a table',
            [('{plain={'):rep(50)] = 'more than 16 deep',
            [''] = 'want a table',
        }) do
            conf(text)
            run.fails(2, said, 'config', 'check')
            run.fails(2, 'ate%.conf%.lua:%d+:%d+: ', 'serve')
        end
    end)

    it('is refused by the check where serving would refuse it', function()
        run.bank()
        local OF_REST = not run.is_without('rest') and {
            ["{rest = '8080x'}"] = 'listen on 8080x: want PORT or HOST:PORT',
            ["{rest = '8080:'}"] = 'want PORT or HOST:PORT',
            ["{metrics = 'nowhere:1'}"] = 'listen on nowhere:1: want PORT',
            ["{rest = '0.0.0.0:0'}"] = 'bearer key would travel in the clear',
            ["{rest = '0', tls = {cert = 'no.pem'}}"] = 'certificate .*no%.pem',
            ["{rest = '0', cors = {'foo'}}"] = "cors: an origin .* not 'foo'",
            ["{rest = '0', cors = {'https://a.example/'}}"] = 'cors: an origin',
            ["{rest = '0', cors = {'https://A.example'}}"] = 'cors: an origin',
            ["{rest = '0', cors = {'*'}}"] = "cors: an origin .* not '%*'",
            ["{rest = '0', cors = {'https://a', 'https://b,'}}"] =
                "cors: an origin .* not ''",
            ["{rest = '127.0.0.1:8080', metrics = '8080'}"] = 'one port',
            ["{rest = '[::]:8080', plain = true, metrics = '8080'}"] =
                'one port',
            ["{rest = '0.0.0.0:8080', plain = true, metrics = '8080'}"] =
                'one port',
        } or {
            ["{rest = '0'}"] = 'built without REST',
        }
        local cases = {
            ["{http = {hosts = {'ftp://x'}}}"] = 'http: .*ftp://x',
            ["{http = {hosts = {'a'}, private = {'10.0.0.0/33'}}}"] =
                'http: .*10%.0%.0%.0/33',
            ["{http = {hosts = {{host = 'a', headers = {b = {file = 'no'}}}}}}"]
                = 'header b',
            ["{http = {hosts = {{host = 'a', headers = {['X\\r\\nY'] = 'b'}}}}}"]
                = "http: .*headers of a: header 'X",
            ["{http = {hosts = {{host = 'a', headers = {b = 'c\\n'}}}}}"] =
                "http: .*headers of a: header 'b'",
            ["{http = {hosts = {'a'}, ca = 'no.pem'}}"] = 'http%.ca: there is '
                .. 'no file .*no%.pem',
        }
        if not run.is_without('fuse') then
            cases[("{mount = '%s/files', as = 'nokey'}"):format(run.dir)] =
                "as: no key 'nokey'"
            run.shell('mkdir full && echo x >full/x && ln -s nowhere link '
                .. '&& ln -s /proc proc')
            for _, dir in ipairs({'/proc/x', '/proc', '/sys/x', '/sys/kernel',
                '../proc/x'}) do
                cases[("{mount = '%s'}"):format(dir)] = '^ate: mount .*: the '
                    .. 'kernel alone makes folders'
            end
            cases["{mount = '../full'}"] = 'there are files in it'
            cases["{mount = '../full/x'}"] = 'is a file'
            cases["{mount = '../full/x/y'}"] = 'mount .*: Not a directory'
            cases["{mount = '../not/there'}"] = 'there is no folder to make it'
            cases["{mount = '../link'}"] = 'is a link to nothing'
        else
            cases["{mount = 'm'}"] = 'built without it'
        end
        for text, said in pairs(OF_REST) do
            cases[text] = said
        end
        for text, said in pairs(cases) do
            conf('return ' .. text)
            for _, command in ipairs({'config check', 'serve'}) do
                local done = run.shell('"$ATE" ' .. command)
                assert(done.code == 2 or done.code == 3
                    or done.err:match('built without') and done.code == 7,
                    text .. done.err)
                assert(done.err:match(said), text .. ': ' .. done.err)
            end
        end
        conf("return {schemas = {bank = 'no.lua'}}")
        run.fails(3, 'schemas%.bank: there is no file .*no%.lua', 'config',
            'check')
    end)

    it('is taken by the check where it is good', function()
        if WITHOUT then
            return
        end
        run.bank()
        conf("return {rest = '0', metrics = '[::1]:0', as = 'me', cors = "
            .. "{'https://a.example', 'http://localhost:5173', 'http://[::1]'},"
            .. "http = {hosts = {'*'}, private = {'10.0.0.0/8'}}}")
        assert.matches(': ok', run.ok('config', 'check'))
        conf("return {rest = '0.0.0.0:1', plain = true}")
        assert.matches(': ok', run.ok('config', 'check'))
        conf("return {rest = '127.0.0.1:8080', metrics = '[::1]:8080'}")
        assert.matches(': ok', run.ok('config', 'check'))
    end)

    it('stays good while it is served', function()
        if run.is_without('fuse') then
            return
        end
        run.bank()
        conf("return {mount = '../m'}")
        assert.matches(': ok', run.ok('config', 'check'))
        script([[
            serve
            mountpoint -q m || fail 'nothing is mounted'
            "$ATE" config check || fail 'it is refused'
            stop
        ]])
    end)

    it('takes what Lua writes', function()
        conf([==[
            -- a comment
            return { --[[ another,
                of two lines ]]
                ['rest'] = "\49\x32\u{33}" == nil and 1 or 2,
            }]==])
        run.fails(2, 'no such escape', 'config', 'check')
        conf([==[
            -- a comment
            return { --[[ another,
                of two lines ]]
                ['rest'] = "\49\x323\z4";
            };]==])
        run.fails(2, 'no such escape', 'config', 'check')
        conf([==[
            -- a comment
            return { --[[ another,
                of two lines ]]
                ['rest'] = "\49\x32" ; metrics = [=[
]]x]=], cors = {'a\'"', "b"}, plain = false, http = {},
            };]==])
        local set = {}
        for _, item in ipairs(run.json('config', 'show')) do
            set[item.key] = item.place ~= 'default' and item.value or nil
        end
        set.plain = set.plain or false
        assert.same({rest = '12', metrics = ']]x', cors = {'a\'"', 'b'},
            plain = false}, set)
    end)

    it('shows what is set, and no secrets', function()
        conf("return {log = 'json', http = {hosts = {{host = 'a', headers = "
            .. "{Authorization = 'quite-secret'}}}}}")
        local shown = run.ok('config', 'show')
        assert.matches('log +json  %(.*ate%.conf%.lua:1:9%)', shown)
        assert.matches('Authorization', shown)
        assert.is_nil(shown:find('quite-secret', 1, true))
        assert.is_nil(run.ok('config', 'show', '--json')
            :find('quite-secret', 1, true))
        assert.equal(run.data .. '/ate.conf.lua: ok\n', run.ok('config', 'check'))
        os.remove(run.data .. '/ate.conf.lua')
        assert.matches('no configuration', run.ok('config', 'check'))
        for line in run.ok('config', 'show'):gmatch('[^\n]+') do
            assert.matches('^limits%.[%l_]+ +%d+  %(default%)$', line)
        end
    end)

    it('shows limits, also where none is set', function()
        conf('return {limits = {rest_idle_s = 60}}')
        local set = {}
        for _, item in ipairs(run.json('config', 'show')) do
            set[item.key] = item.value
        end
        assert.equal(60, set['limits.rest_idle_s'])
        assert.equal(16777216, set['limits.rest_body'])
        assert.equal(256, set['limits.socket_callers'])
        assert.matches('rest_idle_s +60  %(.*ate%.conf%.lua:1:19%)',
            run.ok('config', 'show'))
    end)

    it('is the file that was named', function()
        run.write(run.dir .. '/other', '{log = "json"}')
        assert.matches('log +json', run.ok('config', 'show', '--config',
            run.dir .. '/other'))
        local done = run.shell('ATE_CONFIG=other "$ATE" config show')
        assert.matches('log +json', done.out)
        run.fails(3, 'no such file', 'config', 'check', '--config', 'nosuch')
        run.fails(3, 'no such file', 'serve', '--config', 'nosuch')
    end)

    it('under its old name is told what to do', function()
        os.execute('mkdir -p ' .. run.quote(run.data))
        run.write(run.data .. '/config.lua', 'return {}')
        run.fails(2, 'is called ate%.conf%.lua now; mv ', 'serve')
        run.fails(2, 'mv ', 'config', 'check')
    end)
end)

describe('the log', function()
    it('has a line for each event', function()
        local done = script([[
            chain
            serve --log json
            "$ATE" chain info bank >/dev/null || fail 'no chain'
            until_says log '"opened"'
            stop
            cat log
        ]])
        local events = {}
        for _, line in ipairs(lines(done.out)) do
            assert.matches('^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$', line.time)
            assert.equal('info', line.level)
            events[#events + 1] = line.event
        end
        assert.same({'start', 'opened', 'ready', 'stop'}, {events[1],
            events[2] == 'ready' and events[3] or events[2],
            events[2] == 'ready' and events[2] or events[3], events[#events]})
    end)

    it('is logfmt, too, and tells why a start failed', function()
        local done = script([[
            chain
            mkdir data/socket
            "$ATE" serve --log logfmt 2>log
            echo "exit $?"
            cat log
        ]])
        assert.matches('^exit 5\ntime=%S+ level=info event=start folder=%S+ '
            .. 'version=%S+\ntime=%S+ level=error event=stop code=CONFLICT '
            .. 'text=".*stands there and is no socket"\n$', done.out)
    end)

    it('is not needed by anybody: who reads it may go', function()
        script([[
            chain
            mkfifo log
            head -n 1 <log >first &
            reader=$!
            "$ATE" serve --log json >told 2>log &
            daemon=$!
            children=$daemon
            wait $reader
            until_says told ready
            "$ATE" chain info bank >/dev/null || fail "info: $?"
            stop
        ]])
    end)

    it('tells of chains that are damaged', function()
        local done = script([[
            chain
            head=$("$ATE" chain path bank)/1.head
            [ -f "$head" ] || fail "no $head"
            size=$(stat -c %s "$head")
            printf 'x' | dd of="$head" bs=1 seek=8300 conv=notrunc 2>/dev/null
            serve --log json
            "$ATE" chain info bank >/dev/null 2>&1
            until_says log '"damaged"'
            stop
            grep damaged log
        ]])
        local line = lines(done.out)[1]
        assert.equal('bank', line.chain)
        assert.equal('error', line.level)
        assert.equal('CORRUPT', line.code)
    end)

    it('tells of callers that are turned away', function()
        if io.popen('id -u'):read('*l') ~= '0' then
            return -- only root can become somebody else
        end
        local done = script([[
            chain
            serve --log json
            chmod 711 . data
            chmod 666 data/socket
            setpriv --reuid=65534 --clear-groups "$ATE" chain ls \
                --data "$ATE_DATA" >/dev/null 2>&1
            until_says log '"refused"'
            stop
            grep refused log
        ]])
        local line = lines(done.out)[1]
        assert.equal('DENIED', line.code)
        assert.matches('user 65534', line.text)
    end)

    it('tells of workers that give up', function()
        local done = script([[
            "$ATE" chain create hooks --schema "$FIXTURES/hooks.lua" \
                --accept accept-all,serializer,structured-logic >/dev/null ||
                fail 'no chain'
            serve --log json
            "$ATE" call hooks wanted.append name=a \
                url=https://secret-host.example/ >/dev/null || fail 'no call'
            until_says log '"parked"'
            stop
            grep parked log
        ]])
        local line = lines(done.out)[1]
        assert.equal('hooks', line.chain)
        assert.equal('warning', line.level)
        assert.is_string(line.worker)
        assert.is_string(line.item)
    end)
end)

describe('HUP', function()
    it('reads the configuration again, and keeps what is right', function()
        local done = script([[
            conf <<'END'
return {log = 'json'}
END
            chain
            serve
            echo 'return {log = "xml"}' | conf
            kill -HUP "$daemon"
            until_says log reload_refused
            echo "return {log = 'logfmt'}" | conf
            kill -HUP "$daemon"
            until_says log event=reload
            "$ATE" chain ls >/dev/null || fail 'it does not serve'
            stop
            cat log
        ]])
        assert.matches('"event":"reload_refused"[^\n]*log: is', done.out)
        assert.matches('event=reload\n.*event=stop\n$', done.out)
    end)

    it('puts schemas in force that a chain may grow into', function()
        local done = script([[
            chain
            echo "return {log = 'json', schemas = {bank = '../bank.lua'}}" |
                conf
            serve
            before=$("$ATE" chain info bank --json | jq -r .bundle)
            sed -i "s/version = 1/version = 2/" bank.lua
            kill -HUP "$daemon"
            until_says log '"schema"'
            until_says log '"reload"'
            after=$("$ATE" chain info bank --json | jq -r .bundle)
            [ "$before" != "$after" ] || fail 'the schema is the old one'
            echo 'return 1' >bank.lua
            kill -HUP "$daemon"
            until_says log schema_refused
            [ "$after" = "$("$ATE" chain info bank --json |
                jq -r .bundle)" ] || fail 'it changed'
            stop
            cat log
        ]])
        assert.matches('"event":"schema_refused"', done.out)
        assert.matches('"event":"schema"', done.out)
    end)

    it('lets workers ask others at once', function()
        script([[
            "$ATE" chain create hooks --schema "$FIXTURES/hooks.lua" \
                --accept accept-all,serializer,structured-logic >/dev/null ||
                fail 'no chain'
            : >calls
            mkfifo port
            python3 "$FIXTURES/outside.py" calls >port 2>/dev/null &
            children="$children $!"
            read -r port <port || fail 'no server'
            printf '%s' 'from-a-file' >key
            serve --log json
            cat >data/ate.conf.lua <<END
return {log = 'json', http = {private = {'127.0.0.1'}, hosts = {
    {host = 'http://127.0.0.1:$port', headers = {['X-Key'] = {file = '../key'}}},
}}}
END
            kill -HUP "$daemon"
            until_says log '"reload"'
            "$ATE" call hooks wanted.append name=a \
                url="http://127.0.0.1:$port/plain" >/dev/null || fail 'no call'
            tries=0
            until "$ATE" list hooks called -o csv | grep -q 200; do
                tries=$((tries + 1))
                [ $tries -lt 500 ] || fail "not asked: $(cat log)"
            done
            stop
            grep -q from-a-file log && fail 'a secret in the log'
            exit 0
        ]])
    end)

    if not WITHOUT then
        it('renews certificates without hanging up', function()
            script([[
                new_cert() {
                    openssl req -x509 -newkey ec -pkeyopt \
                        ec_paramgen_curve:P-256 -keyout data/key.pem -out \
                        data/cert.pem -days 2 -nodes -subj "/CN=$1" -addext \
                        "subjectAltName=IP:127.0.0.1" 2>/dev/null ||
                        fail 'no certificate'
                }
                issuer() {
                    curl -sv --insecure "$url/v1" 2>&1 >/dev/null |
                        sed -n 's/.*issuer: CN=//p'
                }
                chain
                new_cert first
                echo "return {log = 'json', rest = '0',
                    tls = {cert = 'cert.pem', key = 'key.pem'}}" | conf
                serve
                url=$(sed -n 's/^rest  //p' told)
                [ "$(issuer)" = first ] || fail "it is $(issuer)"
                new_cert second
                kill -HUP "$daemon"
                until_says log '"reload"'
                tries=0
                until [ "$(issuer)" = second ]; do
                    tries=$((tries + 1))
                    [ $tries -lt 100 ] || fail "it is $(issuer)"
                done
                echo garbage >data/cert.pem
                kill -HUP "$daemon"
                until_says log reload_refused
                [ "$(issuer)" = second ] || fail "it is $(issuer)"
                stop
            ]])
        end)

        it('opens doors, and closes them', function()
            script([[
                chain
                echo "return {log = 'json'}" | conf
                serve
                echo "return {log = 'json', metrics = '0', rest = '0'}" | conf
                kill -HUP "$daemon"
                until_says log '"reload"'
                link=$("$ATE" console) || fail 'no link after a door opened'
                curl -sSf "${link%%#*}" >/dev/null || fail "$link"
                "$ATE" serve 2>/dev/null && fail 'two serve one folder'
                "$ATE" console >/dev/null || fail 'the other took the link'
                echo "return {log = 'json', metrics = '0'}" | conf
                : >log
                kill -HUP "$daemon"
                until_says log '"reload"'
                "$ATE" console 2>/dev/null && fail 'a link to a closed door'
                echo "return {log = 'json', metrics = 'nonsense'}" | conf
                kill -HUP "$daemon"
                until_says log reload_refused
                "$ATE" chain ls >/dev/null || fail 'it does not serve'
                stop
            ]])
        end)
    end
end)

describe('a terminal that is closed', function()
    it('ends what was started on it', function()
        script([[
            chain
            cat >terminal.py <<'END'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
said = b''
while b'ready' not in said:
    said += os.read(fd, 1000)
os.close(fd)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) % 256)
END
            python3 terminal.py "$ATE" serve || fail "exit $?"
            [ ! -S data/socket ] || fail 'its socket is there'
        ]])
    end)
end)

describe('a service manager', function()
    it('is told of readiness, reloading and the end', function()
        local done = script([[
            chain
            python3 "$FIXTURES/handed_over.py" notified -- \
                "$ATE" serve >told 2>log &
            daemon=$!
            children="$children $daemon"
            until_says notified READY=1
            kill -HUP "$daemon"
            until_says notified RELOADING=1
            stop
            cat notified
        ]])
        assert.matches('^READY=1\nSTATUS=serving %S+/socket\nRELOADING=1\n'
            .. 'READY=1\n', done.out)
    end)

    it('hands over the sockets', function()
        local rest = WITHOUT and '' or 'rest=tcp metrics=tcp'
        script([[
            chain
            python3 "$FIXTURES/handed_over.py" notified \
                ate=unix:"$PWD/data/socket" ]] .. rest .. [[ -- \
                "$ATE" serve --log json >told 2>log &
            daemon=$!
            children="$children $daemon"
            # Whoever comes early waits.
            until [ -S data/socket ]; do :; done
            "$ATE" chain ls >/dev/null || fail 'it does not serve'
            until_says told 'ready'
            "$ATE" call bank account.put name=alice owner=me >/dev/null ||
                fail 'no call'
            if [ -n "]] .. rest .. [[" ]; then
                port=$(sed -n 's/^metrics \([0-9]\)/\1/p' told)
                curl -sf "http://127.0.0.1:$port/healthz" >/dev/null ||
                    fail 'no metrics'
                port=$(sed -n 's/^rest \([0-9]\)/\1/p' told)
                curl -sf -H "Authorization: Bearer $("$ATE" key bearer)" \
                    "http://127.0.0.1:$port/v1" >/dev/null || fail 'no REST'
            fi
            stop
            [ -S data/socket ] || fail 'it removed what is not its own'
        ]])
    end)

    it('is told when a socket is none of ours', function()
        local done = script([[
            chain
            python3 "$FIXTURES/handed_over.py" notified \
                ate=unix:"$PWD/elsewhere" -- "$ATE" serve 2>&1
            echo "exit $?"
        ]])
        assert.matches('is no Unix socket that listens at .*/data/socket\n'
            .. 'exit 2\n$', done.out)
    end)
end)
