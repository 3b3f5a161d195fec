--- The REPL's own commands, those with a backslash.
-- @module ate.repl.commands
local ate = require('ate')
local chains = require('ate.repl.chain')
local asof = require('ate.repl.asof')
local editor = require('ate.repl.editor')
local files = require('ate.client.files')
local grid = require('ate.client.grid')
local history = require('ate.repl.history')
local parts = require('ate.client.parts')
local suggest = require('ate.client.suggest')
local watch = require('ate.repl.watch')

local M = {}

local HELP = {
    {'bank.transfer{from = \'alice\', ...}', 'call a method'},
    {'bank.view.balance{account = \'alice\'}', 'rows of a view'},
    {'bank.get.account(\'alice\')', 'one object; list and history as well'},
    {'bank.tail(5)  bank.info()', 'the last transactions; what the chain is'},
    {'1 + 1', 'any Lua; _ is the last value, _2 the one before, up to _9'},
    {'\\use NAME', 'use a chain: its methods need no bank. in front'},
    {'\\chains \\types \\views \\methods', 'what there is'},
    {'\\doc NAME', 'what a type, view, rule or method is'},
    {'\\as KEY', 'sign with another key'},
    {'\\x', 'rows as lines, nothing cut off, or as tables again'},
    {'\\x table|lines|json|lua|yaml', 'how values are printed'},
    {'\\timing', 'show how long each line takes, or no more'},
    {'\\watch', 'run the last line again when the chain in use changes'},
    {'\\watch SECONDS', 'or every so many seconds; Ctrl-C ends it'},
    {'\\asof POSITION|TIME|now', 'objects as they were; views are kept as they '
        .. 'are now alone'},
    {'\\explain LINE', 'what the calls of a line would write; nothing is '
        .. 'written'},
    {'\\e', 'change the last line in $EDITOR, and run it'},
    {'\\i FILE', 'run the lines of a file'},
    {'\\history [COUNT]', 'what was typed before'},
    {'\\q', 'leave; so does Ctrl-D'},
}

local function fail(text, ...)
    error(ate.error('INVALID', text:format(...)), 0)
end

local function schema_of(repl)
    if repl.chain == nil then
        fail('no chain in use; \\use NAME, \\chains lists them')
    end
    local schema, err = repl.session:schema(repl.chain)
    if schema == nil then
        error(err, 0)
    end
    return schema
end

local function print_docs(repl, list)
    local lines = {}
    for i, item in ipairs(list or {}) do
        lines[i] = {item.name, ate.text.printable(item.doc or '')}
    end
    repl.out:write(grid.facts(lines, repl.out:bolder()))
end

local commands = {}

function commands.help(repl)
    local lines = {}
    for i, line in ipairs(HELP) do
        lines[i] = line
    end
    repl.out:write(grid.facts(lines, repl.out:bolder()))
end

function commands.q(repl)
    repl.ended = true
end

function commands.use(repl, name)
    if name == '' then
        fail('\\use needs the name of a chain; \\chains lists them')
    end
    local schema, err = repl.session:schema(name)
    if schema == nil then
        error(err, 0)
    end
    repl.chain = name
end

function commands.chains(repl)
    for _, name in ipairs(chains.names(repl)) do
        repl.out:line(name)
    end
end

function commands.types(repl)
    print_docs(repl, schema_of(repl).types)
end

function commands.views(repl)
    print_docs(repl, schema_of(repl).views)
end

function commands.methods(repl)
    print_docs(repl, schema_of(repl).methods)
end

function commands.t(repl)
    repl.timing = not repl.timing
    repl.out:talk(repl.timing and 'timing on' or 'timing off')
end

commands.timing = commands.t

function commands.history(repl, count)
    local entries = repl.past ~= nil and repl.past.entries or {}
    local first = 1
    if count ~= '' then
        local most = count:match('^%d+$') and tonumber(count)
        if not most then
            fail('\\history takes a whole number, not %q', count)
        end
        first = math.max(1, #entries - most + 1)
    end
    for i = first, #entries do
        repl.out:line((entries[i]:gsub('\n', ' ')))
    end
end

--- What \e and \watch mean by the last line.
local function last_line(repl, who)
    if repl.last == nil then
        fail('\\%s: nothing has been typed yet', who)
    end
    return repl.last
end

function commands.e(repl)
    if not (ate.host.is_terminal(0) and ate.host.is_terminal(1)) then
        fail('\\e: an editor needs a terminal')
    end
    local folder = history.path():match('^(.*)/')
    local text, err = editor.edit(folder, repl.last or '')
    if text == nil then
        error(err, 0)
    end
    if not text:find('%S') then
        return
    end
    repl.out:line(text)
    if not repl.run(text) then
        fail('it ends in the middle of: %s', text:match('^[^\n]*'))
    end
    if repl.past ~= nil then
        repl.past:add(text)
    end
end

commands.edit = commands.e

function commands.explain(repl, text)
    if text == '' then
        fail('\\explain needs a line, such as transfer{from = \'alice\', ...}')
    elseif text:match('^\\') then
        fail('\\explain takes Lua, not another command')
    end
    local before = repl.last -- what \watch and \e run again is no trial
    repl.explains = true
    local ok, ran = pcall(repl.run, text)
    repl.explains, repl.last = nil, before
    if not ok then
        error(ran, 0)
    end
    return ran
end

--- There is no such thing here, and people who know databases look for it.
local function no_transaction()
    fail('a transaction is what one call of a method writes, all of it or '
        .. 'nothing, signed as that call; several calls in one are a method '
        .. 'of the schema that makes them by ctx:call, and \\explain tells what '
        .. 'a call would write')
end

commands.begin = no_transaction
commands.commit = no_transaction
commands.rollback = no_transaction

local FILES_DEEP = 8

function commands.i(repl, path)
    if path == '' then
        fail('\\i needs the name of a file')
    end
    local content, err = files.read('\\i', path)
    if content == nil then
        error(err, 0)
    end
    repl.deep = (repl.deep or 0) + 1
    local left
    if repl.deep <= FILES_DEEP then
        left = repl.feed(content:gsub('([^\n])$', '%1\n')
            :gmatch('([^\n]*)\n'))
    end
    repl.deep = repl.deep - 1
    if repl.deep >= FILES_DEEP then
        fail('\\i %s: files that run files, more than %d deep', path,
            FILES_DEEP)
    elseif left ~= nil then
        fail('%s ends in the middle of: %s', path, left:match('^[^\n]*'))
    end
end

function commands.watch(repl, seconds)
    local text = last_line(repl, 'watch')
    local every = tonumber(seconds)
    if seconds ~= '' and (every == nil or every < 0.1 or every > 86400) then
        fail('\\watch takes seconds, from 0.1 to 86400, not %q', seconds)
    elseif every == nil and repl.chain == nil then
        fail('\\watch: no chain in use; \\use NAME, or say how many seconds')
    end
    repl.stopped = false
    local function again()
        repl.is_watching = true
        local ran = repl.run(text)
        repl.is_watching = false
        io.stdout:flush()
        return ran and not repl.stopped
    end
    local ok, err
    if every ~= nil then
        ok, err = watch.every(every, again)
    else
        ok, err = watch.on_change(repl.session, repl.chain, again)
    end
    if not ok then
        error(err, 0)
    end
end

function commands.asof(repl, text)
    if text == '' then
        repl.out:line(repl.asof ~= nil and repl.asof.text or 'now')
        return
    elseif text == 'now' then
        repl.asof = nil
        return
    end
    local moment = asof.parse(text)
    if moment == nil then
        fail('\\asof is a position such as 57, the place of an event such as '
            .. '57.0, a time such as 2026-11-29T01:02, or now; not %q', text)
    end
    if repl.chain ~= nil then
        chains.check_moment(repl, repl.chain, moment)
    end
    repl.asof = moment
end

function commands.x(repl, format)
    if format == '' then
        format = repl.format == 'table' and 'lines' or 'table'
        repl.out:talk('rows as ' .. (format == 'table' and 'tables' or format))
    end
    for _, known in ipairs({'table', 'lines', 'json', 'lua', 'yaml'}) do
        if format == known then
            repl.format = format
            return
        end
    end
    fail('\\x is table, lines, json, lua or yaml, not %q', format)
end

function commands.as(repl, name)
    if name == '' then
        fail('\\as needs the name of a key; ate key ls lists them')
    end
    local key, err = repl.session:call(nil, 'key.show', {name = name})
    if key == nil then
        error(err, 0)
    end
    repl.as = name
end

function commands.doc(repl, name)
    local schema = schema_of(repl)
    local list = parts.named(schema, name)
    if #list == 0 then
        fail('nothing is called %q here%s', name,
            suggest.hint(name, parts.names(schema)))
    end
    parts.print_named(repl.out, list)
end

--- Run a line that begins with a backslash.
-- @tparam table repl
-- @tparam string line
-- @treturn boolean false when more lines are needed
function M.run(repl, line)
    local name, rest = line:match('^%s*\\(%S*)%s*(.-)%s*$')
    local command = commands[name]
    if command == nil then
        local names = {}
        for known in pairs(commands) do
            names[#names + 1] = known
        end
        table.sort(names)
        local near = ate.near(name, names)
        fail('no command \\%s%s; \\help lists them', name,
            near ~= nil and '; did you mean \\' .. near .. '?' or '')
    end
    return command(repl, rest) ~= false
end

return M
