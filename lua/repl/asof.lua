--- Objects as they were: \asof of the REPL.
--
-- What an object was is in its history, each version with its place and time.
-- Views are folded as the log grows, and only their newest rows are kept: to
-- have them as of earlier, the log would have to be replayed up to there.
-- @module ate.repl.asof
local ate = require('ate')

local M = {}

local function split(at)
    local index, n = at:match('^(%d+)%.(%d+)$')
    return tonumber(index), tonumber(n)
end

--- Read what was typed: a position (a size of the log), the place of an event,
-- or a time, which may be cut off.
-- @tparam string text `57`, `57.0`, `2026-11-29T01:02`
-- @treturn[1] table moment
-- @treturn[2] nil
function M.parse(text)
    if text:match('^%d+$') then
        return {text = text, size = tonumber(text)}
    elseif text:match('^%d+%.%d+$') then
        local index, n = split(text)
        return {text = text, index = index, n = n, size = index + 1}
    elseif text:match('^%d%d%d%d%-%d%d') and not text:match('[^%dT:.Z-]') then
        return {text = text, time = text:gsub('Z$', '')}
    end
    return nil
end

--- Whether a version was there then.
-- @tparam table moment
-- @tparam table version of a history
local function is_within(moment, version)
    local index, n = split(version._.at)
    if moment.time ~= nil then
        local time = version._.time:gsub('Z$', ''):sub(1, #moment.time)
        return time <= moment.time
    elseif moment.index ~= nil then
        return index < moment.index or index == moment.index and n <= moment.n
    end
    return index < moment.size
end

--- Those versions that were there then.
-- @tparam table moment
-- @tparam table versions list of a history, newest first
-- @treturn table list
function M.versions(moment, versions)
    local kept = ate.list({})
    for _, version in ipairs(versions) do
        if is_within(moment, version) then
            kept[#kept + 1] = version
        end
    end
    return kept
end

--- What it was then.
-- @tparam table moment
-- @tparam table versions
-- @treturn[1] table the object
-- @treturn[2] nil it was not there
function M.object(moment, versions)
    local last = M.versions(moment, versions)[1]
    if last == nil or last._.change == 'delete' then
        return nil
    end
    return last
end

return M
