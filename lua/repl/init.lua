--- The read-eval-print loop.
-- @module ate.repl
local ate = require('ate')
local chains = require('ate.repl.chain')
local commands = require('ate.repl.commands')
local complete = require('ate.repl.complete')
local eval = require('ate.repl.eval')
local history = require('ate.repl.history')
local interrupts = require('ate.client.interrupts')
local pager = require('ate.repl.pager')
local raised_by = require('ate.client.raised')
local show = require('ate.repl.show')
local unknown = require('ate.repl.unknown')

local M = {}

local EXIT_INTERRUPTED = 130
local GREETED_MAX = 10
local VALUES_KEPT = 9 -- _1 to _9
local INVISIBLE = '\1\27[%sm\1' -- as the editor takes what has no width

--- Where typed Lua looks for names: its own globals, Lua's, the members of the
-- chain in use, chains.
local function new_env(repl)
    local own = {ate = ate, null = ate.null}
    own.chain = function(name)
        return chains.new(repl, name)
    end
    return setmetatable(own, {__index = function(_, name)
        if _G[name] ~= nil then
            return _G[name]
        end
        for _, chain in ipairs(chains.names(repl)) do
            if chain == name then
                return chains.new(repl, name)
            end
        end
        if repl.chain ~= nil and type(name) == 'string' then
            for _, read in ipairs(chains.READS) do
                if read == name then
                    return chains.member(repl, repl.chain, name)
                end
            end
            if chains.has_method(repl, repl.chain, name) then
                return chains.member(repl, repl.chain, name)
            end
        end
        return nil
    end})
end

--- What a path of tables has: `string.`; nil when it leads to no plain table.
local function fields_of(repl, parts)
    local at = repl.env
    for i, part in ipairs(parts) do
        local found = rawget(at, part)
        if found == nil and i == 1 then
            found = _G[part]
        end
        if type(found) ~= 'table' or getmetatable(found) ~= nil then
            return nil
        end
        at = found
    end
    local words = {}
    for name in pairs(at) do
        if type(name) == 'string' and name:match('^[%a_][%w_]*$') then
            words[#words + 1] = name
        end
    end
    return words
end

local function world_of(repl)
    local globals = {}
    for _, list in ipairs({_G, repl.env}) do
        for name in pairs(list) do
            globals[#globals + 1] = name
        end
    end
    return {
        globals = globals,
        fields = function(parts)
            return fields_of(repl, parts)
        end,
        current = repl.chain,
        chains = function()
            return chains.names(repl)
        end,
        keys = function()
            local names = {}
            for i, key in ipairs(repl.session:call(nil, 'key.ls') or {}) do
                names[i] = key.name
            end
            return names
        end,
        schema = function(name)
            return (repl.session:schema(name))
        end,
    }
end

--- Show what went wrong and keep the first exit code.
local function failed(repl, raised)
    local err = raised
    if not raised_by.is_error(raised) then
        local text = raised_by.text(raised):gsub('^line:1: ', '')
            :gsub('^lua/client/interrupts%.lua:%d+: ', '') -- a tail call
            :gsub('^line:', 'line ')
            :gsub('^lua/[%w_/]+%.lua:%d+: interrupted$', 'interrupted')
        local is_ours = text:match('interrupted$') and interrupts.came()
        err = ate.error(is_ours and 'CANCELED' or 'SCRIPT',
            text .. unknown.advice(repl, text))
    end
    repl.stopped = err.code == 'CANCELED'
        or err.text:match('interrupted$') ~= nil
    if repl.stopped and repl.is_watching then
        return -- that is how \\watch ends
    end
    repl.out:error(err)
    repl.code = repl.code ~= 0 and repl.code or err.exit
end

--- `_` and `_1` are the last value, `_2` is the one before, ...
local function keep_value(repl, value)
    local env = repl.env
    for i = VALUES_KEPT, 2, -1 do
        rawset(env, '_' .. i, rawget(env, '_' .. i - 1))
    end
    rawset(env, '_1', value)
    rawset(env, '_', value)
end

local function print_values(repl, values)
    local function print_all()
        for i = 1, values.n do
            show.value(repl, values[i])
        end
    end
    if repl.has_pager then
        local ok, text, raised = repl.out:collect(print_all)
        pager.show(text)
        if not ok then
            error(raised, 0)
        end
    else
        print_all()
    end
    if values.n > 0 then
        keep_value(repl, values[1])
    end
end

--- The next Ctrl-C is a first one again.
local function rearm()
    if ate.host.rearm ~= nil then
        ate.host.rearm()
    end
end

--- Run a command.
-- @treturn boolean false when more lines are needed
local function run_command(repl, text)
    local ok, result = pcall(commands.run, repl, text)
    rearm()
    if not ok then
        failed(repl, result)
    end
    return not ok or result
end

--- Run one whole input.
-- @treturn boolean false when more lines are needed
local function run_text(repl, text)
    if text:match('^%s*\\') then
        return run_command(repl, text)
    end
    local meant = unknown.command(repl, text)
    if meant ~= nil then
        return run_command(repl, meant)
    end
    local chunk, wrong = eval.compile(text, repl.env)
    if chunk == nil and wrong == nil then
        return false
    end
    if text:find('%S') then
        repl.last = text
    end
    if chunk == nil then
        failed(repl, wrong .. unknown.language(text))
        return true
    end
    local start = ate.host.clock()
    ate.host.interrupted()
    local ok, result = eval.run(chunk)
    rearm()
    if ok then
        local shown, raised = pcall(print_values, repl, result)
        if not shown then
            failed(repl, raised)
        end
    else
        failed(repl, result)
    end
    repl.out:clear_progress()
    if repl.timing then
        repl.out:talk(('%.1f ms'):format(ate.host.clock() - start))
    end
    return true
end
M.run_text = run_text

--- What the next line is typed behind; red where somebody's money may be.
local function prompt_of(repl, is_first)
    local name = ate.text.printable(repl.chain or 'ate')
    if repl.stage ~= nil then
        name = ('%s[%s]'):format(name, repl.stage)
    end
    if repl.as ~= nil then
        name = name .. ' ' .. repl.as
    end
    if repl.asof ~= nil then
        name = name .. ' @' .. repl.asof.text
    end
    if repl.session.writing_err ~= nil then
        name = name .. ' (read only)'
    end
    local mark = is_first and name .. '>'
        or (' '):rep(math.max(0, ate.text.width(name) - 2)) .. '..>'
    if repl.stage ~= nil and repl.stage:match('^prod') and repl.out.color then
        mark = INVISIBLE:format('31') .. mark .. INVISIBLE:format('0')
    end
    return mark .. ' '
end

--- What to type first.
local function greet(repl)
    local out = repl.out
    out:talk(('ate %s, %s (%s); \\help shows what can be typed'):format(
        ate.version, jit.version, _VERSION))
    if repl.chain ~= nil then
        return
    end
    local names = chains.names(repl)
    if #names == 0 then
        out:talk('there is no chain here yet; ate chain create makes one')
    else
        out:talk(('\\use NAME uses a chain: %s'):format(table.concat(names,
            ', ', 1, math.min(#names, GREETED_MAX))
            .. (#names > GREETED_MAX and ', ...' or '')))
    end
end

local function read_terminal(repl)
    local editor = require('ate.edit').open(function(line, cursor)
        return complete.words(line:sub(1, cursor), world_of(repl))
    end)
    local past = history.open(history.path(), editor)
    repl.past, repl.has_pager = past, true
    greet(repl)
    local text
    while not repl.ended do
        ate.host.interrupted() -- what Ctrl-C ended has been told
        if ate.host.ending() then
            break
        end
        local line = editor:read(prompt_of(repl, text == nil))
        if line == nil then
            repl.out:talk('') -- what comes next begins a line of its own
            break
        end
        if line == false then
            text = nil
        else
            text = text == nil and line or text .. '\n' .. line
            if not text:find('%S') or run_text(repl, text) then
                past:add(text)
                text = nil
            end
            io.stdout:flush()
        end
    end
    editor:close()
end

--- The lines of stdin, until its end or a signal.
local function piped_lines()
    local buffer, at, is_end = '', 1, false
    return function()
        while true do
            local stop = buffer:find('\n', at, true)
            if stop ~= nil then
                local line = buffer:sub(at, stop - 1)
                at = stop + 1
                return line
            end
            buffer, at = buffer:sub(at), 1
            if is_end then
                local line = buffer
                buffer = ''
                return line ~= '' and line or nil
            end
            io.stdout:flush() -- who feeds us may wait for what was answered
            local _, interrupted = ate.host.wait({0}, -1)
            if interrupted then
                return nil
            end
            local chunk = ate.host.read(0) or ''
            buffer, is_end = buffer .. chunk, chunk == ''
        end
    end
end

--- Run lines, until their end or Ctrl-C.
-- @tparam table repl
-- @tparam function lines
-- @treturn ?string what was not finished
local function feed(repl, lines)
    local text
    repl.stopped = false
    for line in lines do
        text = text == nil and line or text .. '\n' .. line
        if not text:find('%S') or run_text(repl, text) then
            text = nil
        end
        if repl.ended or repl.stopped or ate.host.ending() then
            return nil
        end
    end
    return text
end

local function read_pipe(repl)
    local text = feed(repl, piped_lines())
    if repl.ended or repl.stopped or ate.host.ending() then
        return
    end
    if ate.host.interrupted() then
        repl.code = EXIT_INTERRUPTED
    elseif text ~= nil then
        failed(repl, ate.error('SCRIPT', 'the input ends in the middle of: '
            .. text:match('^[^\n]*')))
    end
end

--- Use the chain that was named, or the only one that there is.
local function choose_chain(repl, chain)
    local names = chain == nil and chains.names(repl) or {}
    local wanted = chain or #names == 1 and names[1] or nil
    if wanted == nil then
        return true
    end
    local schema, err = repl.session:schema(wanted)
    if schema ~= nil then
        repl.chain = wanted
    elseif chain ~= nil then
        return nil, err
    else
        repl.out:warn(err.text) -- others may be made yet
    end
    return true
end

--- Read, evaluate and print until the end.
-- @tparam table out
-- @tparam table session
-- @tparam[opt] table options chain (to be used), stage (for the prompt)
-- @treturn[1] integer exit code: through a pipe that of the first failure
-- @treturn[2] nil
-- @treturn[2] table err
function M.run(out, session, options)
    local repl = M.new(out, session)
    repl.stage = options ~= nil and options.stage or nil
    local ok, err = choose_chain(repl, options and options.chain)
    if not ok then
        return nil, err
    end
    if ate.host.is_terminal(0) and ate.host.is_terminal(1) then
        read_terminal(repl)
        repl.code = 0
    else
        read_pipe(repl)
    end
    return ate.host.ending() and EXIT_INTERRUPTED or repl.code
end

--- What one REPL knows.
function M.new(out, session)
    local repl = {out = out, session = session, format = 'table', code = 0,
        known = setmetatable({}, {__mode = 'k'})}
    if out.is_json then
        repl.format = 'json'
    end
    repl.run = function(text)
        return run_text(repl, text)
    end
    repl.feed = function(lines)
        return feed(repl, lines)
    end
    repl.env = new_env(repl)
    return repl
end

return M
