--- What the word before the cursor may become.
--
-- Pure: `world` says what there is: chains(), keys(), schema(chain), globals
-- (list of names), current (name of the chain in use, or nil) and, perhaps,
-- fields(parts): what a table of Lua has, nil when they name none.
-- @module ate.repl.complete
local M = {}

--- Commands and what completes their argument.
M.COMMANDS = {
    {'\\as', 'keys'}, {'\\asof', 'moments'}, {'\\chains'}, {'\\doc', 'docs'},
    {'\\e'}, {'\\explain', 'lua'}, {'\\help'}, {'\\history'},
    {'\\i', 'files'}, {'\\methods'}, {'\\q'}, {'\\timing'}, {'\\types'}, {'\\use', 'chains'}, {'\\views'},
    {'\\watch', 'seconds'}, {'\\x', 'formats'},
}
M.FORMATS = {'json', 'lines', 'lua', 'table', 'yaml'}

local READS = {'call', 'get', 'history', 'info', 'list', 'schema', 'sum',
    'tail', 'verify', 'view'}
local OF_TYPES = {get = true, list = true, history = true}
local OF_VIEWS = {view = true, sum = true}

local function beginning_with(words, prefix)
    local seen, found = {}, {}
    for _, word in ipairs(words) do
        if word:sub(1, #prefix) == prefix and not seen[word] then
            seen[word] = true
            found[#found + 1] = word
        end
    end
    table.sort(found)
    return found
end

local function names(list, suffix)
    local out = {}
    for i, item in ipairs(list or {}) do
        out[i] = item.name .. (suffix or '')
    end
    return out
end

local function add(words, more)
    for _, word in ipairs(more) do
        words[#words + 1] = word
    end
    return words
end

--- First segments of methods, or the segments behind `front.`.
local function method_segments(schema, front)
    local words = {}
    for _, method in ipairs(schema.methods or {}) do
        local rest = method.name
        if front ~= '' then
            local head = front .. '.'
            rest = rest:sub(1, #head) == head and rest:sub(#head + 1) or nil
        end
        words[#words + 1] = rest ~= nil and rest:match('^[^.]+') or nil
    end
    return words
end

--- Split `bank.account.pu` into the chain, the words between, the last.
local function resolve(path, world)
    local parts = {}
    for part in (path .. '.'):gmatch('([^.]*)%.') do
        parts[#parts + 1] = part
    end
    local last = table.remove(parts)
    for _, name in ipairs(world.chains()) do
        if parts[1] == name then
            table.remove(parts, 1)
            return name, parts, last
        end
    end
    return nil, parts, last
end

local function members(chain, parts, world)
    local schema = chain ~= nil and world.schema(chain)
    if not schema then
        return {}
    end
    if #parts == 0 then
        return add(method_segments(schema, ''), READS)
    end
    if #parts == 1 and OF_TYPES[parts[1]] then
        return names(schema.types)
    end
    if #parts == 1 and OF_VIEWS[parts[1]] then
        return names(schema.views)
    end
    return method_segments(schema, table.concat(parts, '.'))
end

--- The path whose `{` or `(` is open at the end of the text.
local function open_call(text)
    local depth = 0
    local quote
    local plain = text:gsub('\\.', '  ')
    local opened = {}
    for at = 1, #plain do
        local c = plain:sub(at, at)
        if quote ~= nil then
            quote = c ~= quote and quote or nil
        elseif c == '"' or c == "'" then
            quote = c
        elseif c == '{' or c == '(' then
            depth = depth + 1
            opened[depth] = at
        elseif c == '}' or c == ')' then
            depth = math.max(0, depth - 1)
        end
    end
    if depth == 0 or quote ~= nil then
        return nil
    end
    local before = plain:sub(1, opened[depth] - 1):gsub('%s*%(%s*$', '')
    return before:match('([%w_.]+)%s*$')
end

local function argument_names(path, world)
    local chain, parts, last = resolve(path, world)
    parts[#parts + 1] = last
    chain = chain or world.current
    local schema = chain ~= nil and world.schema(chain)
    if not schema then
        return nil
    end
    if #parts == 2 and parts[1] == 'view' then
        for _, view in ipairs(schema.views or {}) do
            if view.name == parts[2] then
                return names(view.columns, ' = ')
            end
        end
    end
    for _, method in ipairs(schema.methods or {}) do
        if method.name == table.concat(parts, '.') then
            return names(method.args, ' = ')
        end
    end
    return nil
end

local function command_words(what, world)
    if what == 'formats' then
        return M.FORMATS
    elseif what == 'moments' then
        return {'now'}
    elseif what == 'chains' then
        return world.chains()
    elseif what == 'keys' then
        return world.keys()
    elseif what == 'docs' and world.current ~= nil then
        local schema = world.schema(world.current) or {}
        return add(add(add(names(schema.types), names(schema.views)),
            names(schema.methods)), names(schema.rules))
    end
    return {}
end

local function complete_command(line, world)
    local command, rest = line:match('^%s*(\\%S*)%s+(.*)$')
    if command == nil then
        local word = line:match('\\%S*$')
        return beginning_with(names(M.commands_by_name()), word),
            #line - #word
    end
    for _, known in ipairs(M.COMMANDS) do
        if known[1] == command and known[2] == 'lua' then
            local words, start = M.words(rest, world)
            return words, #line - #rest + start
        elseif known[1] == command then
            return beginning_with(command_words(known[2], world), rest),
                #line - #rest
        end
    end
    return {}, #line
end

--- Their names; a blank stands behind those that take an argument.
function M.commands_by_name()
    local list = {}
    for i, command in ipairs(M.COMMANDS) do
        list[i] = {name = command[1] .. (command[2] and ' ' or '')}
    end
    return list
end

--- Candidates for the word before the cursor.
-- @tparam string text the line up to the cursor
-- @tparam table world
-- @treturn table list of words
-- @treturn integer where the word starts, counted from 0
function M.words(text, world)
    if text:match('^%s*\\') then
        return complete_command(text, world)
    end
    local path = text:match('[%w_.]*$')
    local word = path:match('[^.]*$')
    local start = #text - #word
    if not path:find('.', 1, true) then
        local call = open_call(text:sub(1, start))
        local arguments = call ~= nil and argument_names(call, world)
        if arguments then
            return beginning_with(arguments, word), start
        end
        local words = add(add({}, world.chains()), world.globals)
        if world.current ~= nil then
            add(words, members(world.current, {}, world))
        end
        return beginning_with(words, word), start
    end
    local chain, parts, last = resolve(path, world)
    local fields = chain == nil and world.fields ~= nil and world.fields(parts)
    return beginning_with(fields or members(chain or world.current, parts,
        world), last), start
end

return M
