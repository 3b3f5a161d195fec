--- Lua as it is typed: expressions print, unfinished lines go on.
-- @module ate.repl.eval
local interrupts = require('ate.client.interrupts')

local M = {}

local function load_text(text, env)
    local chunk, wrong = loadstring(text, '=line')
    if chunk ~= nil then
        setfenv(chunk, env)
    end
    return chunk, wrong
end

--- Make a function of what was typed.
-- @tparam string text
-- @tparam table env
-- @treturn[1] function
-- @treturn[2] nil
-- @treturn[2] string what is wrong, or nil when more lines are to come
function M.compile(text, env)
    text = text:gsub('^%s*=', 'return ')
    local chunk, as_value = load_text('return ' .. text, env)
    if chunk ~= nil then
        return chunk
    end
    local wrong
    chunk, wrong = load_text(text, env)
    if chunk ~= nil then
        return chunk
    end
    if wrong:match("'<eof>'$") or as_value:match("'<eof>'$") then
        return nil, nil
    end
    return nil, (wrong:gsub('^line:%d+: ', ''))
end

--- Call it; Ctrl-C ends it, and nothing behind it.
-- @tparam function chunk
-- @treturn[1] true
-- @treturn[1] table values, with their count as n
-- @treturn[2] false
-- @return[2] what was raised
function M.run(chunk)
    local function pack(ok, ...)
        if not ok then
            return false, (...)
        end
        return true, {n = select('#', ...), ...}
    end
    return pack(interrupts.call(chunk, function(raised)
        return raised
    end))
end

return M
