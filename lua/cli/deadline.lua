--- How long a command may take: --deadline.
-- @module ate.cli.deadline
local ate = require('ate')

local M = {}

local MOST_MS = 2 ^ 32 - 1 -- as ate.h has it

--- Is it one that can be kept? None at all can.
-- @tparam string command
-- @tparam table options
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] table err
function M.check(command, options)
    local ms = options.deadline
    if ms == nil or ms >= 1 and ms <= MOST_MS then
        return true
    end
    return nil, ate.error('INVALID', ('%s: --deadline is at least 1 ms and at '
        .. 'most %.0f, not %.0f'):format(command, MOST_MS, ms))
end

--- Begin to count: what a command does one after the other has one deadline.
-- @tparam ?number ms nil: there is none
-- @treturn function gives what is left, at least 1 ms; nil when there is none
function M.start(ms)
    local began = ate.host.clock()
    return function()
        return ms and math.max(1, math.ceil(ms - (ate.host.clock() - began)))
    end
end

--- The engine names what was left for its part: name what was asked for.
-- @tparam table err
-- @tparam ?number ms
-- @treturn table err
function M.named(err, ms)
    if ms ~= nil and err.code == 'CANCELED' then
        err.text = err.text:gsub('the deadline of %d+ ms', ('the deadline of '
            .. '%.0f ms'):format(ms))
    end
    return err
end

return M
