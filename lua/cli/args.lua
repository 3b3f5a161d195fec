--- Words of a command line to arguments and options, by a command's table.
--
-- A command says `args`, a list of {name, doc, optional, many}, and `options`,
-- a list of {name, short, value, doc}; an option without `value` is a switch,
-- one with `list` may be repeated, and its values stand behind commas; one with
-- `many` too, and they are a list.
-- Options may stand anywhere before `--`. Where a command is `raw`, they end at
-- its first argument: what follows is another's.
-- @module ate.cli.args
local ate = require('ate')
local suggest = require('ate.client.suggest')

local M = {}

local NUMBER_MAX = 2 ^ 53

--- Options that every command has.
M.global = {
    {name = 'data', value = 'DIR',
        doc = 'The data folder (else $ATE_DATA, else ~/.local/share/ate).'},
    {name = 'json', doc = 'Print JSON, errors too.'},
    {name = 'help', short = 'h', doc = 'Show help.'},
}

local function usage(text, ...)
    return nil, ate.error('INVALID', text:format(...))
end

local function options_of(command)
    local by_word, words = {}, {}
    for _, list in ipairs({command.options or {}, M.global}) do
        for _, option in ipairs(list) do
            by_word['--' .. option.name] = option
            words[#words + 1] = '--' .. option.name
            if option.short ~= nil then
                by_word['-' .. option.short] = option
            end
        end
    end
    return by_word, words
end

--- Split `--name=value`, `-xvalue` and `-fx` into the option and the rest.
local function split(word, by_word)
    local name, value = word:match('^(%-%-[^=]+)=(.*)$')
    if name ~= nil then
        return by_word[name], value, name
    end
    if word:match('^%-%-') or #word == 2 then
        return by_word[word], nil, word
    end
    local option = by_word[word:sub(1, 2)]
    if option ~= nil and option.value ~= nil then
        return option, word:sub(3), word
    end
    if option ~= nil then
        return option, nil, word:sub(1, 2), '-' .. word:sub(3)
    end
    return nil, nil, word
end

local function is_option(word)
    return #word > 1 and word:sub(1, 1) == '-'
        and not word:match('^%-%d') -- a number below zero
end

--- An empty value is a variable that was not set: it is not what leaving the
-- option out means. true or nil and an error.
local function check_filled(option, name, value)
    local has_gap = option.list and (',' .. value .. ','):find(',,', 1, true)
    if value ~= '' and not has_gap then
        return true
    end
    if value ~= '' then
        return usage('%s: there is nothing between two commas of %q', name,
            value)
    end
    return usage('%s is empty; give %s%s', name, option.value,
        option.required and '' or ' or leave it out')
end

--- Take one option from the front of `rest`; true or nil and an error.
local function take_option(rest, by_word, words, options)
    local word = table.remove(rest, 1)
    local option, value, name, more = split(word, by_word)
    if option == nil then
        return usage('unknown option %s%s', word, suggest.hint(name, words))
    end
    if more ~= nil then
        table.insert(rest, 1, more)
    end
    if option.value == nil and value ~= nil then
        return usage('%s takes no value', name)
    end
    if option.value ~= nil and value == nil then
        value = table.remove(rest, 1)
        if value == nil then
            return usage('%s needs a value, %s', name, option.value)
        end
    end
    if option.value ~= nil then
        local ok, err = check_filled(option, name, value)
        if not ok then
            return nil, err
        end
    end
    if option.choices ~= nil then
        local ok = false
        for _, choice in ipairs(option.choices) do
            ok = ok or choice == value
        end
        if not ok then
            return usage('%s is %s, not %q', name,
                table.concat(option.choices, ', '), value)
        end
    end
    if option.number then
        local number = value:match('^%d+$') and tonumber(value)
        if not number then
            return usage('%s is a whole number, not %q', name, value)
        elseif number > NUMBER_MAX then
            return usage('%s is too large, at most %.0f, got %q', name,
                NUMBER_MAX, value)
        end
        value = number
    end
    local before = options[option.name]
    if option.list and before ~= nil then
        value = before .. ',' .. value
    end
    if option.many then
        local list = {unpack(before or {})}
        list[#list + 1] = value
        value = list
    end
    options[option.name] = option.value == nil and true or value
    return true
end

--- The first sentence of a doc, to go on a sentence with.
local function clause(doc)
    local text = doc:gsub('%.%s.*$', ''):gsub('%.$', '')
    return (text:gsub('^%u%l', string.lower):gsub('^%u ', string.lower))
end

local function assign(command, words)
    local args = {}
    local at = 1
    for _, arg in ipairs(command.args or {}) do
        if arg.many then
            args[arg.name] = {unpack(words, at)}
            at = #words + 1
        else
            args[arg.name] = words[at]
            at = at + 1
        end
        local given = args[arg.name]
        local missing = given == nil or arg.many and #given == 0
        if missing and not arg.optional then
            local _, err = usage('%s is missing, %s', arg.name, clause(arg.doc))
            return nil, err, {name = arg.name, args = args}
        end
        if given == '' and arg.name ~= 'KEY' then
            return usage('%s is empty, %s', arg.name, clause(arg.doc))
        end
    end
    if at <= #words then
        return usage('too many arguments, from %q on', words[at])
    end
    return args
end

--- Options that a command can not do without.
local function check_required(command, options)
    for _, option in ipairs(command.options or {}) do
        if option.required and options[option.name] == nil then
            return usage('--%s %s is missing, %s%s', option.name, option.value,
                clause(option.doc), option.hint and '; ' .. option.hint or '')
        end
    end
    return true
end

--- Take words apart.
-- @tparam table command
-- @tparam table words
-- @treturn[1] table args by name, lists for those with `many`
-- @treturn[1] table options by name
-- @treturn[2] nil
-- @treturn[2] table err, INVALID
-- @treturn[2] ?table what is missing: name, and the args and options before it
function M.parse(command, words)
    local by_word, known = options_of(command)
    local rest, plain, options = {unpack(words)}, {}, {}
    while rest[1] ~= nil do
        if rest[1] == '--' then
            table.remove(rest, 1)
            for _, word in ipairs(rest) do
                plain[#plain + 1] = word
            end
            break
        elseif is_option(rest[1]) then
            local ok, err = take_option(rest, by_word, known, options)
            if not ok then
                return nil, err
            end
        else
            plain[#plain + 1] = table.remove(rest, 1)
            if command.raw then
                table.insert(rest, 1, '--')
            end
        end
    end
    if options.help then
        return {}, options
    end
    local args, err, missing = assign(command, plain)
    if args == nil then
        if missing ~= nil then
            missing.options = options
        end
        return nil, err, missing
    end
    local ok, wrong = check_required(command, options)
    if not ok then
        return nil, wrong
    end
    return args, options
end

return M
