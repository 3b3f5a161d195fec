--- The command line: from words to an exit code.
-- @module ate.cli.main
local ate = require('ate')
local args = require('ate.cli.args')
local commands = require('ate.cli.table_of_commands')
local context = require('ate.cli.context')
local help = require('ate.cli.help')
local new_out = require('ate.cli.out').new
local offer = require('ate.cli.offer')
local suggest = require('ate.client.suggest')

local function usage(text, ...)
    return ate.error('INVALID', text:format(...))
end

local function drop_first(words)
    return {unpack(words, 2)}
end

local function wants_help(word)
    return word == '--help' or word == '-h'
end

--- Whether errors of usage are told as JSON, too. What stands behind `run` may
-- be a script's own.
local function wants_json(words)
    local is_noun = true
    for i, word in ipairs(words) do
        if word == '--json' then
            return true
        end
        local plain = word:sub(1, 1) ~= '-' and words[i - 1] ~= '--data'
        if word == '--' or is_noun and word == 'run' then
            return false
        end
        is_noun = is_noun and not plain
    end
    return false
end

--- Options may stand before the command, too: put them behind it.
local function command_first(words)
    local before = {}
    local at = 1
    while words[at] ~= nil and words[at]:sub(1, 2) == '--'
        and words[at] ~= '--help' and words[at] ~= '--version' do
        before[#before + 1] = words[at]
        if words[at] == '--data' then
            at = at + 1
            before[#before + 1] = words[at]
        end
        at = at + 1
    end
    local rest = {unpack(words, at)}
    if rest[1] == nil then
        return words
    end
    local has_verbs = commands.noun(rest[1])
    local behind = has_verbs ~= nil and has_verbs.verbs ~= nil and 2 or 1
    for i, word in ipairs(before) do
        table.insert(rest, math.min(behind + i, #rest + 1), word)
    end
    return rest
end

--- Find the command that the first words name.
-- @treturn[1] table noun
-- @treturn[1] ?table command one of its verbs, or itself; nil for help
-- @treturn[1] table what is left
-- @treturn[2] nil
-- @treturn[2] table err
local function find(words)
    local noun = commands.noun(words[1])
    if noun == nil then
        return nil, commands.no_command(words[1])
    end
    words = drop_first(words)
    if noun.verbs == nil then
        return noun, noun, words
    end
    if words[1] == nil then
        return nil, usage('ate %s needs a verb%s', noun.name,
            suggest.there_are(commands.names(noun.verbs)))
    end
    if wants_help(words[1]) then
        return noun, nil, words
    end
    local verb = commands.find(noun.verbs, words[1])
    if verb == nil then
        return nil, commands.no_verb(noun, words[1])
    end
    return noun, verb, drop_first(words)
end

local function run_command(noun, command, rest, out)
    local words = noun.name .. (command ~= noun and ' ' .. command.name or '')
    local given, options, missing = args.parse(command, rest)
    if given == nil then
        local err = options
        err.text = ('%s%s; see ate %s --help'):format(err.text,
            missing ~= nil and offer.of(command, missing, out) or '', words)
        return nil, err
    end
    if options.help then
        help.print(out, noun, command)
        return 0
    end
    out.is_json = out.is_json or options.json == true
    if out.is_json and (options.output or 'json') ~= 'json' then
        return nil, usage('ate %s: --json and --output %s are not one format',
            words, options.output)
    end
    local ctx = context.new(command, given, options, out)
    local code, err = command.run(ctx)
    if code == nil then
        err = ctx:interrupted(err)
        ctx:name_folder(err)
        err.text = err.text:gsub('^interrupted', words .. ': interrupted')
    end
    ctx:close()
    return code, err
end

local function run(words, out)
    if words[1] == nil then
        io.stderr:write(help.all())
        return 2
    end
    words = command_first(words)
    if wants_help(words[1]) then
        help.print(out)
        return 0
    end
    if words[1] == '--version' or words[1] == '-V' then
        words[1] = 'version'
    end
    if words[1]:sub(1, 1) == '-' then
        local _, err = args.parse({}, words)
        return nil, getmetatable(err) ~= nil and err
            or usage('a command is missing; ate help lists them')
    end
    local noun, command, rest = find(words)
    if noun == nil then
        return nil, command
    end
    if command == nil then
        help.print(out, noun)
        return 0
    end
    return run_command(noun, command, rest, out)
end

--- Run what the words say.
-- @tparam table words
-- @treturn integer exit code
local function main(words)
    local out = new_out({json = wants_json(words)})
    local code, err = run(words, out)
    if code == nil then
        out:error(err)
        return err.exit or 1
    end
    out:clear_progress()
    return code
end

return main
