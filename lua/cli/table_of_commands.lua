--- All commands, in the order of help: each noun is one file of commands/.
-- @module ate.cli.table_of_commands
local ate = require('ate')
local suggest = require('ate.client.suggest')

local M = {}

local NOUNS = {
    'new', 'check', 'test', 'chain', 'call', 'get', 'history', 'list', 'view',
    'schema', 'grant', 'revoke', 'grants', 'proof', 'proposal', 'key', 'serve',
    'console', 'mount', 'worker', 'config', 'repl', 'run', 'dev', 'completion',
    'help', 'version',
    'complete',
}

local function load(name)
    return require('ate.cli.commands.' .. name)
end

--- The list of nouns; one with `verbs` has its commands there.
function M.all()
    local nouns = {}
    for i, name in ipairs(NOUNS) do
        nouns[i] = load(name)
    end
    return nouns
end

--- The noun of this name, or nil. No other is loaded: to begin takes no longer
-- for commands that are not asked for.
function M.noun(name)
    for _, known in ipairs(NOUNS) do
        if known == name then
            return load(name)
        end
    end
    return nil
end

--- Names of a list of commands, without those that are not for people.
function M.names(commands)
    local names = {}
    for _, command in ipairs(commands) do
        if not command.hidden then
            names[#names + 1] = command.name
        end
    end
    return names
end

--- The one with this name.
function M.find(commands, name)
    for _, command in ipairs(commands) do
        if command.name == name then
            return command
        end
    end
    return nil
end

-- What other tools call it.
local ELSEWHERE = {init = 'new', log = 'chain tail', status = 'chain info',
    start = 'serve', shell = 'repl', user = 'key new'}

--- The commands that a word may be meant for: `ls` has no noun in front.
local function meant(word)
    local list = {ELSEWHERE[word]}
    for _, noun in ipairs(M.all()) do
        if not noun.hidden and M.find(noun.verbs or {}, word) ~= nil then
            list[#list + 1] = noun.name .. ' ' .. word
        end
    end
    return #list > 0 and '; there is ate ' .. table.concat(list, ', ate ')
        or ''
end

--- What is said of a first word that is none of them.
-- @tparam string word
-- @treturn table err, INVALID
function M.no_command(word)
    local hint = meant(word)
    if hint == '' then
        hint = suggest.hint(word, M.names(M.all()))
    end
    return ate.error('INVALID', ('%q is no command of ate%s; ate help lists '
        .. 'them'):format(word, hint))
end

--- The same of a second one.
-- @tparam table noun one with verbs
-- @tparam string word
-- @treturn table err, INVALID
function M.no_verb(noun, word)
    return ate.error('INVALID', ('%q is no verb of ate %s%s'):format(word,
        noun.name, suggest.hint_or_list(word, M.names(noun.verbs))))
end

--- Every command that runs, with its words: {command, 'chain create'}.
function M.each()
    local list = {}
    for _, noun in ipairs(M.all()) do
        for _, verb in ipairs(noun.verbs or {noun}) do
            local words = noun.verbs and noun.name .. ' ' .. verb.name
                or noun.name
            list[#list + 1] = {command = verb, words = words}
        end
    end
    return list
end

return M
