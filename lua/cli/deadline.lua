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

return M
