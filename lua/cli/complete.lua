--- Completion for shells: what the last word of a command line may become.
-- @module ate.cli.complete
local args = require('ate.cli.args')
local commands = require('ate.cli.table_of_commands')
local shape = require('ate.client.shape')

local M = {}

local function beginning_with(words, prefix)
    local found = {}
    for _, word in ipairs(words) do
        if word:sub(1, #prefix) == prefix then
            found[#found + 1] = word
        end
    end
    table.sort(found)
    return found
end

local function option_words(command)
    local words = {}
    for _, list in ipairs({command.options or {}, args.global}) do
        for _, option in ipairs(list) do
            words[#words + 1] = '--' .. option.name
        end
    end
    return words
end

local function find_option(command, word)
    for _, list in ipairs({command.options or {}, args.global}) do
        for _, option in ipairs(list) do
            if word == '--' .. option.name
                or option.short ~= nil and word == '-' .. option.short then
                return option
            end
        end
    end
    return nil
end

local function names(list, suffix)
    local words = {}
    for i, item in ipairs(list or {}) do
        words[i] = item.name .. (suffix or '')
    end
    return words
end

--- Words of the command without its options; the value of --data as well.
local function plain_words(command, words)
    local plain, data, at = {}, nil, 1
    while words[at] ~= nil do
        local option = find_option(command, words[at])
        if option ~= nil and option.value ~= nil then
            if option.name == 'data' then
                data = words[at + 1]
            end
            at = at + 1
        elseif words[at]:sub(1, 1) ~= '-' then
            plain[#plain + 1] = words[at]
        end
        at = at + 1
    end
    return plain, data
end

--- What the data folder offers for an argument.
local asked = {}

function asked.NAME(session)
    return names(session:call(nil, 'chain.ls') or {})
end

local function from_schema(list)
    return function(session, plain)
        local schema = session:schema(plain[1] or '')
        return names(schema ~= nil and schema[list] or {})
    end
end

--- Types, views, rules and methods: what `ate schema show` takes.
function asked.PART(session, plain)
    local words = {}
    for _, list in ipairs({'types', 'views', 'rules', 'methods'}) do
        for _, name in ipairs(from_schema(list)(session, plain)) do
            words[#words + 1] = name
        end
    end
    return words
end

--- Modules of the bundle in force: what `ate schema source` takes.
function asked.MODULE(session, plain)
    local found = session:read(plain[1] or '', 'source')
    return names(found ~= nil and found.modules or {})
end

asked.METHOD = from_schema('methods')
asked.TYPE = from_schema('types')
asked.VIEW = from_schema('views')

local function fields(what, list)
    return function(session, plain)
        local schema = session:schema(plain[1] or '')
        local item = schema ~= nil
            and shape.find(schema, what, plain[2] or '', plain[1])
        return names(item and item[list] or {}, '=')
    end
end

asked['key=value'] = fields('method', 'args')
asked['column=value'] = fields('view', 'columns')

local function arg_at(command, position)
    for i, arg in ipairs(command.args or {}) do
        if i == position or arg.many and i < position then
            return arg
        end
    end
    return nil
end

local function from_folder(ctx, data, ask, plain)
    ctx.options.data = data or ctx.options.data
    local session = ctx:open('read')
    if session == nil then
        return {}
    end
    return ask(session, plain)
end

local function key_names(session)
    return names(session:call(nil, 'key.ls') or {})
end

local function context_names(session, plain)
    local schema = session:schema(plain[1] or '')
    if schema == nil then
        return {}
    end
    local method = shape.find(schema, 'method', plain[2] or '', plain[1])
    return names(shape.context(schema, method), '=')
end

local function value_words(option, ctx, data, plain)
    if option.choices ~= nil then
        return option.choices
    elseif option.value == 'KEY' and option.name == 'as' then
        return from_folder(ctx, data, key_names)
    elseif option.name == 'context' then
        return from_folder(ctx, data, context_names, plain)
    end
    return {}
end

local function command_words(command, words, last, ctx)
    local plain, data = plain_words(command, words)
    local before = words[#words] and find_option(command, words[#words])
    if before ~= nil and before and before.value ~= nil then
        return beginning_with(value_words(before, ctx, data, plain), last)
    end
    if last:sub(1, 1) == '-' then
        return beginning_with(option_words(command), last)
    end
    local arg = arg_at(command, #plain + 1)
    if arg == nil then
        return {}
    end
    if arg.name == 'SHELL' then
        return beginning_with({'bash', 'zsh', 'fish'}, last)
    end
    if arg.name == 'COMMAND' then
        return beginning_with(commands.names(commands.all()), last)
    end
    local ask = asked[arg.name]
    if ask == nil or command.name == 'create' or command.name == 'new' then
        return {}
    end
    if arg.is_key then
        ask = key_names
    end
    return beginning_with(from_folder(ctx, data, ask, plain), last)
end

--- Candidates.
-- @tparam table words after `ate`, the last one unfinished
-- @tparam table ctx
-- @treturn table list of words
function M.words(words, ctx)
    words = {unpack(words)}
    local last = table.remove(words) or ''
    if #words == 0 then
        return beginning_with(commands.names(commands.all()), last)
    end
    local noun = commands.noun(table.remove(words, 1))
    if noun == nil then
        return {}
    end
    if noun.verbs == nil then
        return command_words(noun, words, last, ctx)
    end
    if #words == 0 then
        return beginning_with(commands.names(noun.verbs), last)
    end
    local verb = commands.find(noun.verbs, table.remove(words, 1))
    return verb ~= nil and command_words(verb, words, last, ctx) or {}
end

return M
