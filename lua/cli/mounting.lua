--- Chains as files: what `ate mount` and `ate serve --mount` share.
-- @module ate.cli.mounting
local ate = require('ate')

local M = {}

--- Whether there is the key that is to sign. `me` is made when it first does.
-- @tparam table session
-- @tparam ?string name
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] table err
function M.check_key(session, name)
    if name == nil or name == 'me' then
        return true
    end
    local key, err = session:call(nil, 'key.show', {name = name})
    if key == nil then
        return nil, ate.error(err.code, 'as: ' .. err.text, err.reason)
    end
    return true
end

local function is_here()
    if package.preload['ate.mount'] ~= nil then
        return true
    end
    return nil, ate.error('UNAVAILABLE', 'mount: this ate was built without '
        .. 'it (make WITHOUT=fuse)')
end

--- Whether the chains could be mounted at a folder.
-- @tparam string dir
-- @tparam boolean is_served somebody serves the chains, perhaps there
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] table err
function M.check(dir, is_served)
    local ok, err = is_here()
    if not ok then
        return nil, err
    end
    local mount = require('ate.mount')
    if is_served and mount.is_mounted(dir) then
        return true
    end
    return mount.check(dir)
end

--- Mount the chains of a session.
-- @tparam table session
-- @tparam string dir an empty folder; made for that time when it is not there
-- @tparam table options as, deadline
-- @treturn[1] table mount, to be stopped before the session is closed
-- @treturn[2] nil
-- @treturn[2] table err
function M.start(session, dir, options)
    local known, err = is_here()
    if known then
        known, err = M.check_key(session, options.as)
    end
    if not known then
        return nil, err
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
