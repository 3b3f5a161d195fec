--- What is longer than the screen goes through $PAGER.
-- @module ate.repl.pager
local ate = require('ate')

local M = {}

--- The command: $ATE_PAGER, $PAGER, or less; nil: none is wanted.
function M.command()
    local wanted = os.getenv('ATE_PAGER') or os.getenv('PAGER') or 'less'
    if wanted == '' or wanted == 'cat' then
        return nil
    end
    return wanted
end

local function is_long(text)
    local rows, columns = ate.host.rows(1), ate.host.columns(1)
    if rows == nil or columns == nil then
        return false
    end
    local count = 0
    for line in text:gmatch('([^\n]*)\n') do
        local width = #line:gsub('\27%[%d*m', '')
        count = count + math.max(1, math.ceil(width / columns))
        if count >= rows then
            return true
        end
    end
    return false
end

--- Show a text, through the pager when it is long.
-- @tparam string text
function M.show(text)
    local command = is_long(text) and M.command() or nil
    local pipe
    if command ~= nil then
        io.stdout:flush()
        ate.host.deafen(true) -- Ctrl-C is the pager's
        pipe = io.popen('LESS="${LESS-FRX}" ' .. command, 'w')
    end
    if pipe == nil then
        io.stdout:write(text)
    else
        ate.host.ignore_pipe(true) -- whoever leaves it early has seen enough
        pipe:write(text)
        pipe:close()
        ate.host.ignore_pipe(false)
    end
    if command ~= nil then
        ate.host.deafen(false)
    end
end

return M
