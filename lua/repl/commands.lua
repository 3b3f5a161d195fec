--- The REPL's own commands, those with a backslash.
-- @module ate.repl.commands
local ate = require('ate')
local chains = require('ate.repl.chain')
local grid = require('ate.client.grid')
local suggest = require('ate.client.suggest')

local M = {}

local HELP = {
    {'bank.transfer{from = \'alice\', ...}', 'call a method'},
    {'bank.view.balance{account = \'alice\'}', 'rows of a view'},
    {'bank.get.account(\'alice\')', 'one object; list and history as well'},
    {'bank.tail(5)  bank.info()', 'the last transactions; what the chain is'},
    {'1 + 1', 'any Lua; _ is the last value'},
    {'\\use NAME', 'use a chain: its methods need no bank. in front'},
    {'\\chains \\types \\views \\methods', 'what there is'},
    {'\\doc NAME', 'what a type, view, rule or method is'},
    {'\\as KEY', 'sign with another key'},
    {'\\x', 'rows as lines, nothing cut off, or as tables again'},
    {'\\x table|lines|json|lua', 'how values are printed'},
    {'\\t', 'show how long each line takes, or no more'},
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

function commands.x(repl, format)
    if format == '' then
        format = repl.format == 'table' and 'lines' or 'table'
        repl.out:talk('rows as ' .. (format == 'table' and 'tables' or format))
    end
    for _, known in ipairs({'table', 'lines', 'json', 'lua'}) do
        if format == known then
            repl.format = format
            return
        end
    end
    fail('\\x is table, lines, json or lua, not %q', format)
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

local function field_text(field)
    local parts = {field.kind}
    if type(field.target) == 'string' then
        parts[#parts + 1] = 'to ' .. field.target
    end
    if ate.is_list(field.words) then
        parts[#parts + 1] = table.concat(field.words, '|')
    end
    if field.optional == true then
        parts[#parts + 1] = 'optional'
    end
    if type(field.doc) == 'string' then
        parts[#parts + 1] = '- ' .. field.doc
    end
    return ate.text.printable(table.concat(parts, ' '))
end

local function print_fields(repl, fields)
    local lines = {}
    for _, field in ipairs(fields or {}) do
        if type(field) == 'table' then
            lines[#lines + 1] = {'  ' .. field.name, field_text(field)}
        end
    end
    repl.out:write(grid.facts(lines))
end

local function print_item(repl, what, item)
    repl.out:line(('%s %s: %s'):format(what, item.name, item.doc or ''))
    if type(item.text) == 'string' then
        repl.out:line('  refuses with: ' .. item.text)
    end
    print_fields(repl, item.args or item.columns or item.header)
    if ate.is_list(item.body) then
        print_fields(repl, item.body)
    end
end

function commands.doc(repl, name)
    local schema = schema_of(repl)
    local names, found = {}, false
    for _, kind in ipairs({{'types', 'type'}, {'views', 'view'},
        {'rules', 'rule'}, {'methods', 'method'}}) do
        for _, item in ipairs(schema[kind[1]] or {}) do
            names[#names + 1] = item.name
            if item.name == name then
                print_item(repl, kind[2], item)
                found = true
            end
        end
    end
    if not found then
        fail('nothing is called %q here%s', name, suggest.hint(name, names))
    end
end

--- Run a line that begins with a backslash.
-- @tparam table repl
-- @tparam string line
function M.run(repl, line)
    local name, rest = line:match('^%s*\\(%S*)%s*(.-)%s*$')
    local command = commands[name]
    if command == nil then
        local names = {}
        for known in pairs(commands) do
            names[#names + 1] = known
        end
        table.sort(names)
        fail('no command \\%s%s; \\help lists them', name,
            suggest.hint(name, names))
    end
    command(repl, rest)
end

return M
