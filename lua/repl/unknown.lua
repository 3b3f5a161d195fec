--- Words that are no Lua here: what people type who do not know the REPL yet.
-- @module ate.repl.unknown
local chains = require('ate.repl.chain')
local suggest = require('ate.client.suggest')

local M = {}

local COMMANDS = {help = '\\help', exit = '\\q', quit = '\\q'}

--- The command that a line means which has no backslash: `quit`, `help()`.
-- @tparam table repl
-- @tparam string text
-- @treturn[1] string
-- @treturn[2] nil it is Lua
function M.command(repl, text)
    local word = text:match('^%s*(%l+)%s*%(?%s*%)?%s*;?%s*$')
    if COMMANDS[word] == nil or repl.env[word] ~= nil then
        return nil
    end
    return COMMANDS[word]
end

local SQL = {select = true, insert = true, update = true, delete = true,
    show = true, describe = true}

--- What to say behind an error of syntax, where another language was typed.
-- @tparam string text what was typed
-- @treturn string perhaps empty
function M.language(text)
    local word = text:match('^%s*(%a+)%s')
    return word ~= nil and SQL[word:lower()]
        and '; this is Lua, no SQL: view.NAME{COLUMN = VALUE} reads, '
            .. 'METHOD{...} writes, \\views and \\methods list them' or ''
end

--- What may be called by its name alone.
local function names_of(repl)
    local names = chains.names(repl)
    if repl.chain == nil then
        return names
    end
    for _, read in ipairs(chains.READS) do
        names[#names + 1] = read
    end
    local schema = repl.session:schema(repl.chain)
    for _, method in ipairs(schema ~= nil and schema.methods or {}) do
        names[#names + 1] = method.name
        names[#names + 1] = method.name:match('^([^.]+)%.')
    end
    return names
end

--- What to say behind an error of Lua about a name that nothing has.
-- @tparam table repl
-- @tparam string text of the error
-- @treturn string perhaps empty
function M.advice(repl, text)
    local name = text:match("attempt to %l+ global '([%w_]+)' %(a nil value%)")
    if name == nil then
        return ''
    end
    local near = suggest.hint(name, names_of(repl))
    if near ~= '' then
        return near
    elseif repl.chain == nil then
        return '; no chain in use: \\use NAME, \\chains lists them'
    end
    return ('; %s has no such method: \\methods lists them'):format(repl.chain)
end

return M
