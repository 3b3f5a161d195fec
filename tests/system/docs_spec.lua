--- README and docs: what they print is what happens, what they name is there.
--
-- A fence ```console holds commands behind `$ `, further lines of them behind
-- `> `, and what they print, stdout and stderr together; … stands for anything on its line, a line … alone for
-- any number of lines. A command that ends in & is waited for until it has
-- printed what it is to print. A fence ```lua file=NAME is a part of that file.
local run = require('helper')

before_each(run.begin)
after_each(run.finish)

local ANYTHING = '…'

-- ---- reading markdown ----

--- The fences of a text: list of {info, text, line}.
local function fences(text)
    local list, open, at = {}, nil, 0
    for line in (text .. '\n'):gmatch('(.-)\n') do
        at = at + 1
        local mark = line:match('^```(.*)$')
        if mark ~= nil and open == nil then
            open = {info = mark, lines = {}, line = at}
        elseif mark ~= nil then
            open.text = table.concat(open.lines, '\n') .. '\n'
            list[#list + 1], open = open, nil
        elseif open ~= nil then
            open.lines[#open.lines + 1] = line
        end
    end
    assert(open == nil, 'a fence is not closed')
    return list
end

--- A text without what stands in fences.
local function prose(text)
    local lines, inside = {}, false
    for line in (text .. '\n'):gmatch('(.-)\n') do
        if line:match('^```') then
            inside = not inside
        elseif not inside then
            lines[#lines + 1] = line
        end
    end
    return table.concat(lines, '\n')
end

--- Write the files that a page holds into the folder of the test.
local function write_files(page)
    local files, order = {}, {}
    for _, fence in ipairs(fences(run.read(page))) do
        local name = fence.info:match('^lua file=(%S+)$')
        if name ~= nil then
            if files[name] == nil then
                files[name] = {}
                order[#order + 1] = name
            end
            table.insert(files[name], fence.text)
        end
    end
    for _, name in ipairs(order) do
        run.write(run.dir .. '/' .. name, table.concat(files[name], '\n'))
    end
    return order
end

--- The commands of a page's consoles: list of {command, expected, line}.
local function commands(page)
    local list = {}
    for _, fence in ipairs(fences(run.read(page))) do
        for i, line in ipairs(fence.info == 'console' and fence.lines or {}) do
            local command = line:match('^%$ (.*)$')
            local more = line:match('^> (.*)$')
            if more ~= nil and #list[#list].expected == 0 then
                list[#list].command = list[#list].command .. '\n' .. more
            elseif command ~= nil then
                list[#list + 1] = {command = command, expected = {},
                    line = ('%s:%d'):format(page, fence.line + i)}
            else
                local last = list[#list].expected
                last[#last + 1] = line
            end
        end
    end
    return list
end

-- ---- running consoles ----

--- The pattern that what a command prints has to match as a whole.
local function pattern(lines)
    local parts = {'^'}
    for _, line in ipairs(lines) do
        if line == ANYTHING then
            parts[#parts + 1] = '.-'
        else
            parts[#parts + 1] = line:gsub('%p', '%%%0')
                :gsub(ANYTHING, '[^\n]-') .. '\n'
        end
    end
    parts[#parts + 1] = '$'
    return table.concat(parts)
end

--- Begin a session: what it leaves running ends with it, and `has_told FILE
-- LINES` waits until the command in the background has printed so many lines,
-- or has ended. PORT is then that of its REST.
local SESSION = run.PRELUDE .. [[
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
told_or_ended() {
    [ "$(wc -l <"$1")" -ge "$2" ] || ! kill -0 $!
}
has_told() {
    await told_or_ended "$1" "$2"
    PORT=$(sed -n 's/^rest .*://p' "$1")
}
]]

--- Run a page's consoles as one session of a shell in a folder.
local function run_consoles(page, folder)
    local list = commands(page)
    local script = {SESSION .. ('export TMPDIR=%s; cd %s'):format(
        run.quote(run.dir), run.quote(folder))}
    for i, item in ipairs(list) do
        local file = ('%s/%d.told'):format(run.quote(run.dir), i)
        script[#script + 1] = ('{ %s\n} >%s 2>&1 </dev/null'):format(
            item.command, file)
        if item.command:match('&$') then
            script[#script + 1] = ('has_told %s %d'):format(file,
                #item.expected)
        end
    end
    run.write(run.dir .. '/session', table.concat(script, '\n') .. '\n')
    local done = run.shell('exec bash ./session')
    for i, item in ipairs(list) do
        local file = io.open(('%s/%d.told'):format(run.dir, i), 'rb')
        assert(file ~= nil, item.line .. ': was not reached: ' .. done.err)
        local told = file:read('*a')
        file:close()
        assert(told:match(pattern(item.expected)), ('%s: $ %s\nexpected:\n%s\n'
            .. 'got:\n%s'):format(item.line, item.command,
            table.concat(item.expected, '\n'), told))
    end
    return #list
end

describe('README', function()
    local build = os.getenv('ATE_BUILD') or run.root .. '/build'

    --- The README with a free port in place of 8080.
    local function with_free_port()
        local text = run.read('README.md'):gsub('%-%-rest 8080', '--rest 0')
            :gsub('localhost:8080', 'localhost:$PORT')
            :gsub('127%.0%.0%.1:8080', '127.0.0.1:' .. ANYTHING)
        return run.write(run.dir .. '/README.md', text)
    end

    it('has a path that works as it is printed', function()
        if run.is_without('rest') or run.is_without('fuse') then
            io.stderr:write('docs_spec: SKIPPED README.md, this build is '
                .. 'without REST or mount\n')
            return
        end
        local done = run.shell(('mkdir ate && ln -s %s ate/env.sh && '
            .. 'ln -s %s ate/build'):format(run.quote(run.root .. '/env.sh'),
            run.quote(build)))
        assert.equal(0, done.code, done.err)
        assert.is_true(run_consoles(with_free_port(),
            run.dir .. '/ate') > 20)
    end)

    it('has a schema of some forty lines that loads', function()
        local files = write_files('README.md')
        assert.same({'bank.lua'}, files)
        assert.matches('; no warnings\n$',
            run.ok('check', run.dir .. '/bank.lua'))
        local _, lines = run.read(run.dir .. '/bank.lua'):gsub('\n', '')
        assert.is_true(lines <= 50)
    end)
end)

describe('env.sh', function()
    it('says what to do where nothing is built', function()
        local done = run.shell('. ' .. run.quote(run.root .. '/env.sh'))
        assert.matches('run make', done.err)
        assert.equal('', done.out)
    end)
end)

--- The schemas of a page load, its tests pass.
local function try_files(page)
    local files = write_files(page)
    for _, name in ipairs(files) do
        local path = run.dir .. '/' .. name
        if name:match('_test%.lua$') then
            assert.matches('\nreplay equal · .*, 0 failed\n$',
                run.ok('test', path))
        else
            run.ok('check', path)
        end
    end
    return #files
end

--- What the commands of a page print is what it says.
-- @treturn number how many there are
local function try_commands(page)
    write_files(page)
    local bin = run.dir .. '/bin'
    run.shell('mkdir bin && ln -s "$ATE" bin/ate')
    local copy = run.dir .. '/page.md'
    run.write(copy, '```console\n$ PATH=' .. bin .. ':$PATH\n```\n'
        .. run.read(page))
    return run_consoles(copy, run.dir)
end

describe('docs/schemas.md', function()
    it('has schemas that load and tests that pass', function()
        assert.equal(2, try_files('docs/schemas.md'))
    end)

    it('shows what its commands print', function()
        assert.is_true(try_commands('docs/schemas.md') > 20)
    end)

    it('names every method, view and right of the schemas', function()
        local page = run.read('docs/schemas.md')
        for _, name in ipairs({'key_value', 'ledger'}) do
            local schema = run.json('check', 'ate:' .. name).schema
            local section = page:match('\n## ' .. name .. '\n(.-)\n## ')
            for _, list in ipairs({schema.methods, schema.views}) do
                for _, item in ipairs(list) do
                    assert(item.default or item.name == 'owner'
                        or section:find('`' .. item.name .. '`', 1, true),
                        item.name)
                end
            end
        end
    end)
end)

describe('an example', function()
    for _, name in ipairs({'wallet', 'escrow'}) do
        it('shows what its commands print: ' .. name, function()
            local folder = run.root .. '/examples/' .. name
            run.shell('cp ' .. folder .. '/*.lua .')
            assert.is_true(try_commands(folder .. '/README.md') > 9)
        end)
    end
end)

describe('docs/schema.md', function()
    it('has schemas that load and tests that pass', function()
        assert.is_true(try_files('docs/schema.md') > 3)
    end)

    it('shows what its commands print', function()
        assert.is_true(try_commands('docs/schema.md') > 3)
    end)

    local page = run.read('docs/schema.md')

    --- Whether a name stands in the page by itself.
    local function is_named(name)
        local plain = name:gsub('%p', '%%%0')
        return page:find('%f[%w_.]' .. plain .. '%f[^%w_]') ~= nil
    end

    it('names every function of the library', function()
        local count = 0
        for _, file in ipairs({'base', 'string', 'table', 'math', 'int', 'date',
            'text', 'each'}) do
            local source = run.read('engine/sandbox/lib_' .. file .. '.c')
            for name, functions, constants in source:gmatch(
                'struct library [%w_]+ =%s+{"([%w_.]+)", ([%w_]+), ([%w_]+)}') do
                local prefix = name == '_G' and '' or name == 'ate.lib'
                    and 'ate.' or name .. '.'
                for _, list in ipairs({functions, constants}) do
                    local items = source:match(' ' .. list .. '%[%] = (%b{});')
                        or ''
                    for item in items:gmatch('{"([%w_]+)"') do
                        count = count + 1
                        assert(is_named(prefix .. item),
                            prefix .. item .. ' is not described')
                    end
                end
            end
        end
        assert.is_true(count > 60, count)
    end)

    it('names every type of the vocabulary', function()
        local count = 0
        for name in run.read('lua/ate/types.lua')
            :gmatch("host%.[%l_]*type%('([%w_]+)'") do
            count = count + 1
            assert(page:find('t.' .. name .. '(', 1, true),
                't.' .. name .. ' is not described')
        end
        assert.is_true(count >= 20)
        for name in run.read('lua/ate/init.lua'):gmatch('\n%s*M?%.?([%l]+) =') do
            assert(is_named('ate.' .. name) or name == 'M', name)
        end
    end)

    it('says of everything missing what to use', function()
        local missing = page:match('\n### What is missing.-\n## ')
        local count = 0
        for name in run.read('engine/sandbox/hints.c'):gmatch('\n    {"([%w_.]+)",')
        do
            count = count + 1
            assert(name == 'ate' or missing:find('`' .. name .. '`', 1, true),
                name .. ' is not in the table of what is missing')
        end
        assert.is_true(count > 60)
    end)

    it('names every default method and every key', function()
        local methods = run.read('engine/declare/default_methods.c')
        for name in methods:gmatch('{"(%l+)", "') do
            assert(page:find('\n| `' .. name .. '` |', 1, true), name)
        end
        for _, file in ipairs({'event', 'view', 'rule', 'method'}) do
            local source = run.read('engine/declare/declare_' .. file .. '.c')
            for list in source:gmatch('%w*keys%[%] = (%b{});') do
                for key in list:gmatch('"(%l+)"') do
                    assert(page:find('\n|[^\n|]*`' .. key .. '`'),
                        key .. ' is in no table of keys')
                end
            end
        end
    end)

    it('has the limits that the engine has', function()
        local sources = {}
        for _, file in ipairs({'base/limits.h', 'acceptance/core_open.h',
            'sandbox/compile.h', 'sandbox/lib.h'}) do
            sources[#sources + 1] = run.read('engine/' .. file)
        end
        local all = table.concat(sources)
        local units = {KiB = 2 ^ 10, MiB = 2 ^ 20, GiB = 2 ^ 30}
        local count = 0
        for value, name in page:gmatch('| ([%d,]+ ?%a*) | `([A-Z_]+)` |') do
            local number, unit = value:gsub(',', ''):match('^(%d+) ?(%a*)$')
            local shown = tonumber(number) * (units[unit] or 1)
            local set = all:match('%f[%u_]' .. name .. ' = ([%d< ]+)')
                or all:match('#define ' .. name .. ' %(%(uint64_t%)([%d< ]+)')
            assert(set ~= nil, name .. ' is not there any more')
            local base, shift = set:match('^(%d+) << (%d+)')
            local real = base and tonumber(base) * 2 ^ tonumber(shift)
                or tonumber(set)
            assert.equal(real, shown, name)
            count = count + 1
        end
        assert.is_true(count >= 15)
    end)
end)

describe('docs/workers.md', function()
    it('shows what its commands print', function()
        local page = run.dir .. '/workers.md'
        run.write(page, '```console\n$ ate new bank >told 2>&1 && cd bank\n'
            .. '$ ate chain create bank --schema bank.lua >told\n```\n'
            .. run.read('docs/workers.md'))
        assert.equal(7, try_commands(page))
    end)
end)

describe('docs/files.md', function()
    it('shows what its commands print', function()
        if run.is_without('fuse') then
            io.stderr:write('docs_spec: SKIPPED docs/files.md, this build is '
                .. 'without fuse\n')
            return
        end
        run.shell('mkdir bin && ln -s "$ATE" bin/ate')
        local page = run.dir .. '/page.md'
        run.write(page, '```console\n$ PATH=' .. run.dir .. '/bin:$PATH; '
            .. "trap 'umount -l files 2>/dev/null; wait' EXIT\n```\n"
            .. run.read('docs/files.md'))
        assert.is_true(run_consoles(page, run.dir) > 15)
    end)
end)

describe('pages about reading and scripts', function()
    for _, page in ipairs({'docs/client.md', 'docs/reads.md'}) do
        it('show what happens: ' .. page, function()
            write_files(page)
            run.bank_schema()
            run.shell('mkdir bin && ln -s "$ATE" bin/ate')
            local copy = run.dir .. '/page.md'
            run.write(copy, '```console\n$ PATH=' .. run.dir .. '/bin:$PATH\n```\n'
                .. run.read(page))
            assert.is_true(run_consoles(copy, run.dir) >= 6)
        end)
    end

    it('name every read', function()
        local page = run.read('docs/reads.md')
        local kinds = run.shell(
            'cat ' .. run.root .. '/engine/query/*.c').out
        local own = run.read('engine/node/serve.c'):match(
            '\n} reads%[%] = (%b{})')
        local count = 0
        local names = own:gsub('{"', '.name = "') .. kinds
        for name in names:gmatch('%.name = "(%l+)"') do
            assert(page:find('`' .. name .. '`', 1, true), name)
            count = count + 1
        end
        assert.is_true(count > 15)
    end)
end)

describe('pages about running it', function()
    it('show what happens: docs/service.md', function()
        assert.is_true(try_commands('docs/service.md') >= 8)
        local page = run.read('docs/service.md')
        for _, key in ipairs(require('ate.client.config').KEYS) do
            assert(page:find('`' .. key.name .. '`', 1, true), key.name)
        end
    end)

    it('show what happens: docs/repl.md', function()
        assert.is_true(try_commands('docs/repl.md') >= 5)
        local page = run.read('docs/repl.md')
        for _, command in ipairs(require('ate.repl.complete').COMMANDS) do
            assert(page:find('`' .. command[1], 1, true), command[1])
        end
    end)
end)

--- What the commands of a page about REST print is what it says.
local function try_rest(name, least)
    if run.is_without('rest') then
        io.stderr:write('docs_spec: SKIPPED ' .. name .. ', this build is '
            .. 'without REST\n')
        return
    end
    run.shell('mkdir bin && ln -s "$ATE" bin/ate')
    local page = run.dir .. '/page.md'
    run.write(page, ('```console\n$ export PATH=%s/bin:$PATH\n```\n')
        :format(run.dir) .. run.read(name))
    assert.is_true(run_consoles(page, run.dir) > least)
end

describe('docs/console.md', function()
    it('shows what its commands print', function()
        try_rest('docs/console.md', 4)
    end)
end)

describe('docs/rest.md', function()
    it('shows what its commands print', function()
        try_rest('docs/rest.md', 10)
    end)

    it('has the limits that the door has', function()
        local page = run.read('docs/rest.md')
        local limits = run.read('frontends/rest/limits.h')
        for name, text in pairs({
            LIMIT_CONNECTIONS = '| connections | 1,024 \\* |',
            LIMIT_STREAMS = 'web sockets | 512 \\* |',
            LIMIT_PEER_CALLS = 'under way | 1 MiB; 64 |'}) do
            assert(page:find(text, 1, true), text)
            local number = text:match('([%d,]+)[ \\*]* |$'):gsub(',', '')
            assert.matches(name .. ' = ' .. number .. ',', limits)
        end
    end)

    it('and the configuration have the defaults that doors have', function()
        local config = require('ate.client.config')
        local source = run.read('frontends/rest/limits.h')
            .. run.read('engine/base/limits.h')
        local page = run.read('docs/service.md')
        local set = config.limits({})
        for name, scaled in pairs({rest_body = {'LIMIT_BODY', 2 ^ 20, ' << 20'},
            rest_connections = {'LIMIT_CONNECTIONS', 1},
            rest_streams = {'LIMIT_STREAMS', 1},
            rest_request_s = {'LIMIT_REQUEST_MS', 1e-3},
            rest_idle_s = {'LIMIT_IDLE_MS', 1e-3},
            rest_call_s = {'LIMIT_CALL_MS', 1e-3},
            socket_callers = {'LIMIT_NET_PEERS', 1}}) do
            assert(source:find(('%s = %d%s,'):format(scaled[1],
                set[name] / scaled[2], scaled[3] or ''), 1, true), name)
            local told = page:match('\n| `' .. name .. '` |[^\n]* ([%d,]+) |\n')
            assert.equal(set[name], tonumber((told:gsub(',', ''))), name)
        end
    end)
end)

describe('docs/ARCHITECTURE.md', function()
    local page = prose(run.read('docs/ARCHITECTURE.md'))
    page = page:sub(page:find('\n## Files\n', 1, true), -1)

    --- Every path that the page names, and in which order.
    local function named()
        local paths, folder = {}, nil
        for line in page:gmatch('[^\n]+') do
            folder = line:match('^### `(.*)`$') or folder
            local names = line:match('^%- (`.-) %- ')
            for name in (names or ''):gmatch('`([^`]+)`') do
                local stem = name:match('^(.*)%.%[ch%]$')
                for _, path in ipairs(stem and {stem .. '.h', stem .. '.c'}
                    or {name}) do
                    paths[folder .. path] = true
                end
            end
        end
        return paths
    end

    it('names files that are there', function()
        local count = 0
        for path in pairs(named()) do
            assert(os.execute('test -e ' .. run.quote(run.root .. '/' .. path))
                == 0, path .. ' is not there')
            count = count + 1
        end
        assert.is_true(count > 200)
    end)

    it('names every source file', function()
        local paths = named()
        local pipe = io.popen('find checker engine frontends lua schemas tests '
            .. "tools -type f ! -path 'tests/fuzz/corpus/*' "
            .. "! -path '*/fixtures/*' ! -path 'tests/golden/*' "
            .. "! -path 'tests/mutants/*.patch' "
            .. "! -path '*/__pycache__/*' ! -name '*.pyc' | sort")
        for path in pipe:lines() do
            local folder = path:match('^(tests/lua/[^/]+/)')
            local is_unit = path:match('^tests/unit/test_[^/]*%.c$')
            assert(is_unit or paths[path] or folder and paths[folder],
                path .. ' is not named')
        end
        pipe:close()
    end)
end)

describe('every page', function()
    local pages = {}
    local pipe = io.popen("find . -name '*.md' ! -path './build/*' "
        .. "! -path './.git/*' | sort")
    for path in pipe:lines() do
        pages[#pages + 1] = path:sub(3)
    end
    pipe:close()

    --- How a heading is called in a link.
    local function anchors(text)
        local set = {}
        for heading in ('\n' .. prose(text)):gmatch('\n#+ ([^\n]+)') do
            set[heading:lower():gsub('[^%w%s_-]', ''):gsub('%s', '-')] = true
        end
        return set
    end

    it('has links that lead somewhere', function()
        local count = 0
        for _, page in ipairs(pages) do
            local text = run.read(page)
            local folder = page:match('^(.*/)[^/]*$') or ''
            for target in prose(text):gmatch('%]%(([^)%s]+)%)') do
                local path, anchor = target:match('^([^#]*)#?(.*)$')
                if not target:match('^%a+:') then
                    count = count + 1
                    local full = path == '' and page or folder .. path
                    assert(os.execute('test -e ' .. run.quote(full)) == 0,
                        ('%s: there is no %s'):format(page, target))
                    assert(anchor == '' or anchors(run.read(full))[anchor],
                        ('%s: %s has no such heading'):format(page, target))
                end
            end
        end
        assert.is_true(count > 30)
    end)

    --- Columns of a line; bytes that go on with a character count nothing.
    local function columns(line)
        return #line:gsub('[\128-\191]', '')
    end

    -- Tables and what a console prints have no other place to go on.
    it('has lines that fit', function()
        for _, page in ipairs(pages) do
            local at, inside = 0, nil
            for line in io.lines(page) do
                at = at + 1
                local fence = line:match('^```(.*)$')
                if fence ~= nil then
                    inside = inside == nil and fence or nil
                end
                assert(columns(line) <= 120 or line:match('^|')
                    or inside == 'console', ('%s:%d has %d columns'):format(
                        page, at, columns(line)))
            end
        end
    end)

    -- A line that begins with a number is shown as an item of a list.
    it('has numbers in front of lines in lists alone', function()
        for _, page in ipairs(pages) do
            local last = 0
            for line in (prose(run.read(page)) .. '\n'):gmatch('(.-)\n') do
                local number = tonumber(line:match('^%s*(%d+)[.)] '))
                if number ~= nil then
                    assert(number == 1 or number == last + 1,
                        page .. ': ' .. line)
                    last = number
                end
            end
        end
    end)

    it('of decisions has a number of its own', function()
        local seen = {}
        for _, page in ipairs(pages) do
            local number = page:match('^docs/decisions/(%d%d%d%d)%-[%l%d-]+%.md$')
            if number ~= nil then
                assert.is_nil(seen[number], page)
                seen[number] = page
                assert.matches('^# ' .. number .. '%. ', run.read(page))
            else
                assert.is_nil(page:match('^docs/decisions/'), page)
            end
        end
        assert.is_not_nil(seen['0001'])
    end)
end)
