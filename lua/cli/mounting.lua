--- Chains as files: what `ate mount` and `ate serve --mount` share.
-- @module ate.cli.mounting
local ate = require('ate')

local M = {}

--- Mount the chains of a session.
-- @tparam table session
-- @tparam string dir an empty folder; made for that time when it is not there
-- @tparam table options as, deadline
-- @treturn[1] table mount, to be stopped before the session is closed
-- @treturn[2] nil
-- @treturn[2] table err
function M.start(session, dir, options)
    if package.preload['ate.mount'] == nil then
        return nil, ate.error('UNAVAILABLE', 'mount: this ate was built '
            .. 'without it (make WITHOUT=fuse)')
    end
    if ate.host.kind(dir) == 'file' then
        return nil, ate.error('INVALID', 'mount ' .. dir .. ': is a file')
    end
    return require('ate.mount').start(session.node, dir,
        {as = options.as, deadline_ms = options.deadline})
end

--- Wait until the user asks to end, or somebody unmounts.
-- @tparam ?table mount
-- @treturn boolean whether somebody unmounted
function M.wait(mount)
    local fds = {mount ~= nil and mount:fd() or nil}
    repeat
        local ready = ate.host.wait(fds, -1)
        if mount ~= nil and ready[mount:fd()] then
            return true
        end
    until ate.host.interrupted()
    return false
end

--- Options of both.
M.as = {name = 'as', value = 'KEY', doc = 'The key that signs what is written '
    .. 'there; else me.'}

return M
