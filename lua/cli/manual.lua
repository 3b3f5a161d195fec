--- Manual pages: ate(1) and one for each command, from the table of commands,
-- and ate.conf(5), from the table of keys.
--
-- docs/ate.1 is what `ate help --mdoc` prints; a test compares them. The others
-- are made when ate is installed.
-- @module ate.cli.manual
local ate = require('ate')
local args = require('ate.cli.args')
local commands = require('ate.cli.table_of_commands')
local config = require('ate.client.config')
local help = require('ate.cli.help')

local M = {}

local DATE = 'November 22, 2026'

--- Text that mdoc takes literally, without a macro in front of a line.
local function plain(text)
    text = text:gsub('\\', '\\e')
    text = text:gsub('^([.\'])', '\\&%1')
    return (text:gsub('\n([.\'])', '\n\\&%1'):gsub('%-%-', '\\-\\-'))
end

local ROFF = {['"'] = '\\(dq', ["'"] = '\\(aq', ['`'] = '\\(ga',
    ['^'] = '\\(ha', ['~'] = '\\(ti', ['\\'] = '\\e', ['-'] = '\\-'}

--- What people type: every character as it is in ASCII.
local function typed(text)
    return (text:gsub('.', ROFF))
end

--- Running text: a line for each sentence, none longer than a screen.
local function prose(text)
    local lines = {}
    for word in (text:gsub('\n', ' ') .. ' '):gmatch('(%S+) ') do
        local last = lines[#lines]
        if last == nil or last:match('[.!?]$') or #last + #word > 75 then
            lines[#lines + 1] = word
        else
            lines[#lines] = last .. ' ' .. word
        end
    end
    return plain(table.concat(lines, '\n'))
end

local function option_line(option)
    local text = '.It '
    if option.short ~= nil then
        text = text .. 'Fl ' .. option.short .. ' , '
    end
    text = text .. 'Fl \\-' .. option.name:gsub('%-', '\\-')
    if option.value ~= nil then
        text = text .. ' Ar ' .. option.value
    end
    return text .. '\n' .. prose(option.doc) .. '\n'
end

local function options_list(options)
    if options == nil or #options == 0 then
        return ''
    end
    local parts = {'.Bl -tag -width Ds\n'}
    for _, option in ipairs(options) do
        parts[#parts + 1] = option_line(option)
    end
    parts[#parts + 1] = '.El\n'
    return table.concat(parts)
end

local function synopsis(words, command)
    local parts = {'.Nm\n.Cm ' .. words .. '\n'}
    for _, arg in ipairs(command.args or {}) do
        local macro = arg.optional and '.Op Ar ' or '.Ar '
        parts[#parts + 1] = macro .. (arg.shown or arg.name)
            .. (arg.many and ' ...' or '') .. '\n'
    end
    for _, option in ipairs(command.options or {}) do
        local text = 'Fl \\-' .. option.name:gsub('%-', '\\-')
        if option.value ~= nil then
            text = text .. ' Ar ' .. option.value
        end
        parts[#parts + 1] = (option.required and '.' or '.Op ') .. text .. '\n'
    end
    return table.concat(parts)
end

local function sentence(text)
    return text:match('[.!?]$') and text or text .. '.'
end

local function examples_text(examples)
    if examples == nil then
        return ''
    end
    local lines = {}
    for i, example in ipairs(examples) do
        lines[i] = '.Dl ' .. typed(example) .. '\n'
    end
    return '.Pp\nExamples:\n.Pp\n' .. table.concat(lines)
end

local function command_text(entry)
    local command = entry.command
    local parts = {'.It Nm Cm ' .. entry.words .. '\n', sentence(command.doc)
        .. '\n'}
    local named = {}
    for _, arg in ipairs(command.args or {}) do
        named[#named + 1] = '.It Ar ' .. (arg.shown or arg.name) .. '\n'
            .. prose(sentence(arg.doc)) .. '\n'
    end
    for _, option in ipairs(command.options or {}) do
        named[#named + 1] = option_line(option)
    end
    if #named > 0 then
        parts[#parts + 1] = '.Bl -tag -width Ds\n' .. table.concat(named)
            .. '.El\n'
    end
    for paragraph in ((command.more or '') .. '\n\n'):gmatch('(.-)\n\n') do
        if paragraph ~= '' then
            parts[#parts + 1] = '.Pp\n' .. prose(paragraph) .. '\n'
        end
    end
    parts[#parts + 1] = examples_text(command.examples)
    return table.concat(parts)
end

local HEAD = [[
.Dd %s
.Dt ATE 1
.Os
.Sh NAME
.Nm ate
.Nd business logic in Lua on logs that nobody can forge
.Sh SYNOPSIS
%s.Sh DESCRIPTION
.Nm ate
keeps chains: logs of signed transactions, each judged by rules that stand in
the log itself as a schema in Lua.
Commands open the data folder themselves.
Reading works beside another process that writes.
.Pp
Data goes to the standard output, everything else to the standard error.
Options may stand anywhere before
.Ql \-\- .
.Pp
With every command:
%s.Sh COMMANDS
.Bl -tag -width Ds
]]

local TAIL = [[
.El
.Sh ENVIRONMENT
.Bl -tag -width XDG_STATE_HOME
.It Ev ATE_DATA
The data folder, when
.Fl \-data
is not given.
.It Ev ATE_CONFIG
The configuration, when
.Fl \-config
is not given; else
.Pa ate.conf.lua
of the data folder.
.It Ev ATE_PAGER , PAGER
What the REPL shows output in that is longer than the screen, by default
.Pa less ;
empty or
.Pa cat
for none.
.It Ev VISUAL , EDITOR
What
.Ic \ee
of the REPL opens, by default
.Pa vi .
.It Ev XDG_DATA_HOME
Else the data folder is
.Pa $XDG_DATA_HOME/ate ,
by default
.Pa ~/.local/share/ate .
.It Ev XDG_STATE_HOME
What was typed in the REPL is kept in
.Pa $XDG_STATE_HOME/ate/history ,
by default
.Pa ~/.local/state/ate/history .
.It Ev NO_COLOR
No colours, also on a terminal.
.El
.Sh EXIT STATUS
.Bl -tag -width 130
%s.El
.Sh DIAGNOSTICS
An error is one line,
.Dl ate: bank transfer: too_deep: alice would hold -512.50
or with
.Fl \-json
an object
.Ql error
with
.Ql code ,
.Ql rule ,
.Ql text
and
.Ql exit .
.Sh SEE ALSO
.Xr ate-chain 1 ,
.Xr ate-format 5 ,
.Xr ate.conf 5
.Pp
Each command has a page of its own, as ate-chain has.
]]

local NOUN = [[
.Dd %s
.Dt ATE-%s 1
.Os
.Sh NAME
.Nm ate-%s
.Nd %s
.Sh SYNOPSIS
%s.Sh DESCRIPTION
%s
.Bl -tag -width Ds
%s.El
.Pp
With every command:
%s.Sh EXIT STATUS
.Bl -tag -width 130
%s.El
.Sh SEE ALSO
%s]]

local function exit_list()
    local exits = {}
    for i, exit in ipairs(help.exits) do
        exits[i] = ('.It %d\n%s\n'):format(exit[1], sentence(exit[2]))
    end
    return table.concat(exits)
end

--- What a command leads to besides ate(1).
local ALSO = {serve = {'ate.conf 5'}, config = {'ate.conf 5'},
    worker = {'ate.conf 5'}, chain = {'ate-format 5'},
    proof = {'ate-format 5'}}

local function see_also(list)
    local lines = {}
    for i, page in ipairs(list) do
        lines[i] = '.Xr ' .. page .. (i < #list and ' ,' or '') .. '\n'
    end
    return table.concat(lines)
end

--- The page of one command, ate-NAME(1).
-- @tparam table noun of the table of commands
-- @treturn string
function M.noun(noun)
    local synopses, texts = {}, {}
    for _, entry in ipairs(commands.each()) do
        if entry.words:match('^%S+') == noun.name then
            synopses[#synopses + 1] = synopsis(entry.words, entry.command)
                :gsub('^%.Nm\n', '.Nm ate\n')
            texts[#texts + 1] = command_text(entry)
                :gsub('^%.It Nm ', '.It Nm ate ')
        end
    end
    local pages = {unpack(ALSO[noun.name] or {})}
    table.insert(pages, 1, 'ate 1')
    local what = noun.doc:gsub('%.$', ''):gsub('^%u%l', string.lower)
    return NOUN:format(DATE, noun.name:upper(), noun.name, plain(what),
        table.concat(synopses), prose(sentence(noun.doc)),
        table.concat(texts), options_list(args.global), exit_list(),
        see_also(pages))
end

local CONF = [[
.Dd %s
.Dt ATE.CONF 5
.Os
.Sh NAME
.Nm ate.conf.lua
.Nd the configuration of a node of ate
.Sh DESCRIPTION
The file stands in the data folder, unless
.Fl \-config
or
.Ev ATE_CONFIG
names another.
.Xr ate-serve 1
reads it when it starts and again on HUP,
.Ql ate worker run
when it starts.
Without it nothing is set.
.Pp
It is one table in the syntax of Lua:
texts, numbers, true, false, tables and comments.
It is read and never run.
A key that nobody knows is an error that names line and column;
.Ql ate config check
tells it beforehand, and
.Ql ate config show
what is set.
Options of the command line go before it.
Names of files are seen from the folder of the file.
.Sh KEYS
.Bl -tag -width Ds
%s.El
.Sh RELOADING
On HUP the file is read again.
What is wrong in it changes nothing, and is told.
Hosts of workers change at once.
Certificates are read again, and serve who connects from then on.
When an address, an origin,
.Ql plain
or a limit of REST changes, REST closes and opens again.
Callers who are there stay when fewer may be.
Another
.Ql mount
or
.Ql as
takes a restart.
A schema that is not the one in force is put in force, by the key
.Ql me ,
when the chain may grow so; else the one in force stays, and the log says why.
.Sh EXAMPLES
.Bd -literal
%s.Ed
.Sh SEE ALSO
.Xr ate-config 1 ,
.Xr ate-serve 1
]]

local function key_lines(keys, above)
    local lines = {}
    for _, key in ipairs(keys) do
        if key.keys ~= nil then
            lines[#lines + 1] = key_lines(key.keys, above .. key.name .. '.')
        else
            local default = key.default ~= nil
                and ('; %d unless told'):format(key.default) or ''
            lines[#lines + 1] = ('.It Ic %s\n%s\nIt is %s%s.\n'):format(
                above .. key.name, prose(key.doc), plain(key.kind[2]), default)
        end
    end
    return table.concat(lines)
end

--- The page ate.conf(5).
-- @treturn string
function M.config()
    return CONF:format(DATE, key_lines(config.KEYS, ''),
        plain(ate.asset('cli/templates/ate.conf.lua')))
end

--- The page.
-- @treturn string
function M.page()
    local synopses, texts = {}, {}
    for _, entry in ipairs(commands.each()) do
        if not entry.command.hidden then
            synopses[#synopses + 1] = synopsis(entry.words, entry.command)
            texts[#texts + 1] = command_text(entry)
        end
    end
    return HEAD:format(DATE, table.concat(synopses),
        options_list(args.global)) .. table.concat(texts)
        .. TAIL:format(exit_list())
end

return M
