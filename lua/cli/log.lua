--- What happens, one line an event, for programs that read stderr.
--
--     time=2026-11-29T01:02:03Z level=info event=ready socket=/srv/ate/socket
--     {"event":"ready","level":"info","socket":"/srv/ate/socket","time":"..."}
-- @module ate.cli.log
local ate = require('ate')

local M = {}
local Log = {}
Log.__index = Log

M.FORMATS = {'json', 'logfmt'}

-- What comes first in logfmt; the rest is sorted.
local FIRST = {'time', 'level', 'event'}

local function word(value)
    local text = tostring(value)
    if text:match('^[%w_./:@+-]+$') then
        return text
    end
    return ate.json.encode(text) or ate.json.encode(ate.text.printable(text))
end

local function logfmt(line)
    local names, parts = {}, {}
    for name in pairs(line) do
        names[#names + 1] = name
    end
    table.sort(names)
    for _, name in ipairs(FIRST) do
        parts[#parts + 1] = name .. '=' .. word(line[name])
        line[name] = nil
    end
    for _, name in ipairs(names) do
        if line[name] ~= nil then
            parts[#parts + 1] = name .. '=' .. word(line[name])
        end
    end
    return table.concat(parts, ' ')
end

--- Make one.
-- @tparam ?string format `json`, `logfmt`, or nil: nothing is written
-- @treturn table
function M.new(format)
    return setmetatable({format = format}, Log)
end

--- Write one event.
-- @tparam string level `info`, `warning` or `error`
-- @tparam string event
-- @tparam[opt] table fields texts and numbers by name; no secrets
function Log:say(level, event, fields)
    if self.format == nil then
        return
    end
    local line = {time = os.date('!%Y-%m-%dT%H:%M:%SZ'), level = level,
        event = event}
    for name, value in pairs(fields or {}) do
        line[name] = value
    end
    io.stderr:write(self.format == 'json' and ate.json.encode(line)
        or logfmt(line), '\n')
    io.stderr:flush()
end

--- Write what went wrong.
-- @tparam string event
-- @tparam table err
-- @tparam[opt] table fields
function Log:fail(event, err, fields)
    local all = {code = err.code, text = err.text}
    for name, value in pairs(fields or {}) do
        all[name] = value
    end
    self:say('error', event, all)
end

return M
