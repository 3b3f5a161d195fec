--- The built program, driven from outside.
--
-- Each test has a folder of its own below $TMPDIR; `it` of a spec calls
-- begin() first and finish() last by before_each and after_each.
local M = {}

local ROOT = io.popen('pwd'):read('*l')
local ATE = os.getenv('ATE')
    or (os.getenv('ATE_BUILD') or ROOT .. '/build') .. '/ate'

M.root = ROOT

local function quote(word)
    return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end
M.quote = quote

local function read_all(path)
    local file = assert(io.open(path, 'rb'))
    local text = file:read('*a')
    file:close()
    return text
end
M.read = read_all

--- Where what is pinned by tests/npm is, once it was installed.
M.npm = (os.getenv('ATE_BUILD') or ROOT .. '/build') .. '/npm'

--- Install it; false: it cannot be had. Specs run at the same time, and npm
-- begins by removing what another one just installs.
function M.has_npm()
    return os.execute(([[
        exec >/dev/null 2>&1
        command -v npm && command -v node && mkdir -p %s && cd %s &&
            exec 8>lock && flock 8 && cp %s/tests/npm/package*.json . &&
            { cmp -s package-lock.json installed || {
                timeout 300 npm ci --ignore-scripts --no-audit --no-fund &&
                cp package-lock.json installed; }; }
    ]]):format(quote(M.npm), quote(M.npm), quote(ROOT))) == 0
end

--- Whether the build leaves a door out: `fuse` or `rest` (make WITHOUT=...).
function M.is_without(door)
    local left_out = read_all((os.getenv('ATE_BUILD') or ROOT .. '/build')
        .. '/without')
    return (' ' .. left_out:gsub('%s', ' ')):find(' ' .. door .. ' ', 1, true)
        ~= nil
end

--- The same for a spec of nothing else, which gives its describe and it: then
-- a test takes the place of all, that an answer says so.
function M.left_out(door, describe, it)
    if not M.is_without(door) then
        return false
    end
    describe('a build without ' .. door, function()
        it('says so', function()
            if door == 'rest' then
                M.fails(7, 'built without REST', 'serve', '--rest', '0')
            else
                M.bank()
                M.fails(7, 'WITHOUT=fuse', 'mount', M.dir .. '/m')
            end
        end)
    end)
    return true
end

function M.write(path, text)
    local file = assert(io.open(path, 'wb'))
    assert(file:write(text))
    assert(file:close())
    return path
end

--- Make the folder of a test; M.dir is it, M.data the data folder there.
function M.begin()
    local pipe = io.popen('mktemp -d')
    M.dir = pipe:read('*l')
    pipe:close()
    M.data = M.dir .. '/data'
end

--- Leave the chains of the test below $ATE_DUMP, for tests/checker/agree.mjs,
-- unless they are large.
local function dump()
    local root = os.getenv('ATE_DUMP')
    if root ~= nil then
        os.execute(([[cd %s && n=0 && find . -path '*/??/*' -name cur |
            while read -r cur; do
                [ "$(du -sk "${cur%%/cur}" | cut -f 1)" -le 1024 ] || continue
                n=$((n + 1))
                cp -r "${cur%%/cur}" %s/"$(basename "$PWD")-$n"
            done]]):format(quote(M.dir), quote(root)))
    end
end

function M.finish()
    dump()
    os.execute('rm -rf ' .. quote(M.dir))
end

--- Sources script.sh: the functions and the manners of scripts.
M.PRELUDE = '. ' .. quote(M.root .. '/tests/system/script.sh') .. '\n'

--- Run a script of the shell in the folder of the test. `$ATE` is the program.
-- @treturn table {code, out, err}
function M.shell(script)
    local dir = M.dir
    M.write(dir .. '/.script', script)
    local status = os.execute(('cd %s && env -u NO_COLOR ATE=%s ATE_DATA=%s '
        .. 'HOME=%s XDG_STATE_HOME=%s timeout -k 1 240 sh ./.script '
        .. '>.out 2>.err </dev/null'):format(quote(dir), quote(ATE),
        quote(M.data), quote(dir), quote(dir .. '/state')))
    local code = status >= 256 and math.floor(status / 256) or status
    return {code = code, out = read_all(dir .. '/.out'),
        err = read_all(dir .. '/.err')}
end

--- Run a line of shell where make stands, for as long as it takes.
-- @treturn number code
-- @treturn string out
-- @treturn string err
function M.line(text)
    local dir = quote(M.dir)
    os.execute(('export ATE=%s; ( %s ) >%s/.out 2>%s/.err; echo $? >%s/.code')
        :format(quote(ATE), text, dir, dir, dir))
    return tonumber(read_all(M.dir .. '/.code')), read_all(M.dir .. '/.out'),
        read_all(M.dir .. '/.err')
end

--- Run `ate WORDS...`.
function M.ate(...)
    local words = {}
    for i, word in ipairs({...}) do
        words[i] = quote(word)
    end
    return M.shell('"$ATE" ' .. table.concat(words, ' '))
end

local function told(done)
    return ('exit %d\nstdout: %s\nstderr: %s'):format(done.code, done.out,
        done.err)
end

--- Run a script of the shell, which has to end with 0.
-- @treturn table as of shell()
function M.script(text)
    local done = M.shell(text)
    assert(done.code == 0, told(done))
    return done
end

--- Run `ate WORDS...`, which has to succeed, and give its stdout.
function M.ok(...)
    local done = M.ate(...)
    assert(done.code == 0, table.concat({...}, ' ') .. ': ' .. told(done))
    return done.out
end

--- Run `ate WORDS...`, which has to fail with a code and a text (a pattern).
function M.fails(code, pattern, ...)
    local done = M.ate(...)
    local command = table.concat({...}, ' ')
    assert(done.code == code, ('%s: expected exit %d, got %s'):format(command,
        code, told(done)))
    assert(done.err:match('^ate: ') or done.err:match('\nate: '),
        command .. ': no error was said: ' .. told(done))
    assert(done.err:match(pattern), ('%s: no %q in %s'):format(command,
        pattern, told(done)))
    return done.err
end

--- What `ate WORDS... --json` prints, decoded.
function M.json(...)
    local ate = require('ate')
    local words = {...}
    words[#words + 1] = '--json'
    return assert(ate.json.decode(M.ok(unpack(words))))
end

--- The schema of a bank, from `ate new`.
function M.bank_schema()
    if M.bank_text == nil then
        M.ok('new', M.dir .. '/bank')
        M.bank_text = read_all(M.dir .. '/bank/bank.lua')
    end
    return M.write(M.dir .. '/bank.lua', M.bank_text)
end

--- A chain `bank` with the accounts of alice (me) and bob.
function M.bank()
    M.bank_schema()
    M.script([[
        set -e
        "$ATE" chain create bank --schema bank.lua \
            --accept accept-all,serializer,structured-logic
        "$ATE" key new bob
        "$ATE" call bank account.put name=alice owner=me
        "$ATE" call bank account.put name=bob owner=bob
    ]])
end

--- A chain `notes` whose one note has a body in the body file.
function M.notes()
    M.write(M.dir .. '/notes.lua', [[
local ate = require('ate')
local t = ate.types
local notes = ate.schema('notes', {
    doc = 'Notes.', version = 1, bodies = 'open',
})
notes:object('note', {
    doc = 'A note.',
    key = {'name'},
    header = {name = t.name({max = 40})},
    body = {text = t.text({max = 100000})},
})
return notes
]])
    M.write(M.dir .. '/long', ('All work and no play. '):rep(1000))
    M.script([[
        set -e
        "$ATE" chain create notes --schema notes.lua
        "$ATE" call notes note.put name=a text=@long
    ]])
end

function M.balance(chain)
    local rows = {}
    for _, row in ipairs(M.json('view', chain or 'bank', 'balance')) do
        rows[row.account] = row.amount
    end
    return rows
end

function M.path(chain)
    return (M.ok('chain', 'path', chain or 'bank'):gsub('\n$', ''))
end

return M
