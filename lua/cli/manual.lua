--- The manual page ate(1), from the table of commands.
--
-- docs/ate.1 is what `ate help --mdoc` prints; a test compares them.
-- @module ate.cli.manual
local args = require('ate.cli.args')
local commands = require('ate.cli.table_of_commands')
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
]]

--- The page.
-- @treturn string
function M.page()
    local synopses, texts, exits = {}, {}, {}
    for _, entry in ipairs(commands.each()) do
        if not entry.command.hidden then
            synopses[#synopses + 1] = synopsis(entry.words, entry.command)
            texts[#texts + 1] = command_text(entry)
        end
    end
    for i, exit in ipairs(help.exits) do
        exits[i] = ('.It %d\n%s\n'):format(exit[1], sentence(exit[2]))
    end
    return HEAD:format(DATE, table.concat(synopses),
        options_list(args.global)) .. table.concat(texts)
        .. TAIL:format(table.concat(exits))
end

return M
