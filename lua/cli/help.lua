--- Help, from the table of commands.
-- @module ate.cli.help
local ate = require('ate')
local args = require('ate.cli.args')
local commands = require('ate.cli.table_of_commands')

local M = {}

local COLUMNS = 80
local NAME_COLUMNS_MAX = 26 -- of a name that has its doc on the same line

local EXITS = {
    {0, 'ok'}, {1, 'failure'}, {2, 'usage'}, {3, 'not found'}, {4, 'denied'},
    {5, 'conflict'}, {6, 'refused by a rule'}, {7, 'unavailable'},
    {8, 'verification failed'}, {130, 'interrupted'},
}
M.exits = EXITS

--- Words in lines of at most so many columns, the further ones behind blanks.
local function wrapped(words, columns, indent)
    local lines, line = {}, nil
    for _, word in ipairs(words) do
        if line ~= nil and #line + 1 + #word > columns then
            lines[#lines + 1] = line
            line = nil
        end
        line = line == nil and word or line .. ' ' .. word
    end
    lines[#lines + 1] = line
    return table.concat(lines, '\n' .. (' '):rep(indent))
end

local function words_of(text)
    local words = {}
    for word in text:gmatch('%S+') do
        words[#words + 1] = word
    end
    return words
end

local function two_columns(pairs_)
    local width = 0
    for _, pair in ipairs(pairs_) do
        if #pair[1] <= NAME_COLUMNS_MAX then
            width = math.max(width, #pair[1])
        end
    end
    local lines = {}
    for i, pair in ipairs(pairs_) do
        local gap = #pair[1] <= width and (' '):rep(width + 2 - #pair[1])
            or '\n' .. (' '):rep(width + 4)
        lines[i] = ('  %s%s%s\n'):format(pair[1], gap,
            wrapped(words_of(pair[2]), COLUMNS - width - 4, width + 4))
    end
    return table.concat(lines)
end

--- `Usage: ate chain tail NAME [--from INDEX]`
function M.usage(words, command)
    local parts = {'ate ' .. words}
    for _, arg in ipairs(command.args or {}) do
        local text = arg.shown or arg.name
        if arg.many then
            text = text .. '...'
        end
        parts[#parts + 1] = arg.optional and '[' .. text .. ']' or text
    end
    for _, option in ipairs(command.options or {}) do
        local text = '--' .. option.name
        if option.value ~= nil then
            text = text .. ' ' .. option.value
        end
        parts[#parts + 1] = option.required and text or '[' .. text .. ']'
    end
    local indent = #'Usage: ate '
    return 'Usage: ' .. wrapped(parts, COLUMNS - indent, indent)
end

--- `-o, --output FORMAT`
function M.option(option)
    local text = '--' .. option.name
    if option.short ~= nil then
        text = '-' .. option.short .. ', ' .. text
    end
    if option.value ~= nil then
        text = text .. ' ' .. option.value
    end
    return text
end

local function options_text(title, options)
    local rows = {}
    for i, option in ipairs(options) do
        rows[i] = {M.option(option), option.doc}
    end
    return title .. ':\n' .. two_columns(rows)
end

--- Help for one command.
-- @tparam string words such as `chain create`
-- @tparam table command
-- @treturn string
function M.command(words, command)
    local parts = {command.doc .. '\n\n' .. M.usage(words, command) .. '\n'}
    local rows = {}
    for i, arg in ipairs(command.args or {}) do
        rows[i] = {arg.shown or arg.name, arg.doc}
    end
    if #rows > 0 then
        parts[#parts + 1] = 'Arguments:\n' .. two_columns(rows)
    end
    if #(command.options or {}) > 0 then
        parts[#parts + 1] = options_text('Options', command.options)
    end
    parts[#parts + 1] = options_text('With every command', args.global)
    if command.more ~= nil then
        for paragraph in (command.more .. '\n\n'):gmatch('(.-)\n\n') do
            parts[#parts + 1] = wrapped(words_of(paragraph), COLUMNS, 0) .. '\n'
        end
    end
    if command.examples ~= nil then
        parts[#parts + 1] = 'Examples:\n  '
            .. table.concat(command.examples, '\n  ') .. '\n'
    end
    return table.concat(parts, '\n')
end

--- One command as a map, for programs.
-- @tparam string words
-- @tparam table command
-- @treturn table
function M.map(words, command)
    local parts = {command = words, doc = command.doc, more = command.more,
        args = ate.list({}), options = ate.list({}),
        examples = ate.list(command.examples or {})}
    for i, arg in ipairs(command.args or {}) do
        parts.args[i] = {name = arg.name, doc = arg.doc,
            optional = arg.optional, many = arg.many}
    end
    for i, option in ipairs(command.options or {}) do
        parts.options[i] = {name = option.name, short = option.short,
            value = option.value, doc = option.doc,
            repeated = option.list or option.many,
            required = option.required,
            choices = option.choices and ate.list(option.choices)}
    end
    return parts
end

--- All commands as maps, or those of one noun.
-- @tparam[opt] string noun
-- @treturn table
function M.maps(noun)
    local list = ate.list({})
    for _, entry in ipairs(commands.each()) do
        if not entry.command.hidden
            and (noun == nil or entry.words:match('^%S+') == noun) then
            list[#list + 1] = M.map(entry.words, entry.command)
        end
    end
    return list
end

--- Help for a noun with verbs.
function M.noun(noun)
    local rows = {}
    for i, verb in ipairs(noun.verbs) do
        rows[i] = {noun.name .. ' ' .. verb.name, verb.doc}
    end
    return noun.doc .. '\n\nUsage: ate ' .. noun.name .. ' VERB ...\n\n'
        .. 'Verbs:\n' .. two_columns(rows)
        .. '\nate ' .. noun.name .. ' VERB --help says more.\n'
end

--- Help for ate.
function M.all()
    local rows = {}
    for _, noun in ipairs(commands.all()) do
        if not noun.hidden then
            local name = noun.name
            if noun.verbs ~= nil then
                name = name .. ' '
                    .. table.concat(commands.names(noun.verbs), '|')
            end
            rows[#rows + 1] = {name, noun.doc}
        end
    end
    local exits = {}
    for i, exit in ipairs(EXITS) do
        exits[i] = exit[1] .. ' ' .. exit[2] .. (i < #EXITS and ',' or '.')
    end
    return 'ate runs business logic written in Lua on logs that nobody can '
        .. 'forge.\n\nUsage: ate COMMAND ...\n\nStart here:\n'
        .. '  ate new bank && cd bank && ate test\n'
        .. '  ate chain create bank --schema bank.lua '
        .. '--accept accept-all,serializer,structured-logic\n'
        .. '  ate call bank account.put name=alice owner=me && ate view bank '
        .. 'balance\n\nCommands:\n'
        .. two_columns(rows) .. '\n'
        .. options_text('With every command', args.global)
        .. '\nExit codes: ' .. wrapped(exits, COLUMNS - #'Exit codes: ',
            #'Exit codes: ') .. '\n'
        .. 'ate COMMAND --help and man ate say more.\n'
end

--- Print help as text or as JSON: of all, of a noun, or of a command.
-- @tparam table out
-- @tparam[opt] table noun
-- @tparam[opt] table command one of its verbs, or itself
function M.print(out, noun, command)
    local text, value
    if noun == nil then
        text, value = M.all(), M.maps()
    elseif command == nil then
        text, value = M.noun(noun), M.maps(noun.name)
    else
        local words = noun.name
            .. (command ~= noun and ' ' .. command.name or '')
        text, value = M.command(words, command), M.map(words, command)
    end
    if out.is_json then
        out:json(value)
    else
        out:write(text)
    end
end

return M
