--- Another schema for a chain that is there: stored, and put in force.
-- @module ate.client.growing
local ate = require('ate')
local bundles = require('ate.client.bundles')

local M = {}

local function overtaken(what)
    return ate.error('CONFLICT', ('overtaken by another change of the schema: '
        .. '%s; repeat the command, which tries what is in force now')
        :format(what))
end

--- What an activation failed of, where somebody else was faster.
-- @tparam table session
-- @tparam string chain
-- @tparam string hash of the bundle that was to be put in force
-- @tparam table err of the activation
-- @treturn table err
local function explain(session, chain, hash, err)
    if err.code == 'CONFLICT' or err.code == 'STALE' then
        return overtaken(err.text)
    end
    local now = err.code == 'NOT_FOUND' and session:read(chain, 'info')
    if not now then
        return err
    end
    if now.bundle == hash then
        return ate.error('CONFLICT', 'overtaken by another change of the '
            .. 'schema, which put this one in force: nothing is left to do')
    end
    return overtaken(('version %s is in force'):format(tostring(now.version)))
end

--- Store the bundle, unless it is the one that was stored last: then all that
-- is left to do is to put it in force.
-- @tparam table session
-- @tparam string chain
-- @tparam table info of the chain
-- @tparam string bundle
-- @tparam string hash of it
-- @param who as session:call() has it
-- @treturn[1] table what the last call gave
-- @treturn[1] nil
-- @treturn[1] string that call, `ate.bundle` or `ate.activate`
-- @treturn[2] nil
-- @treturn[2] table err
function M.activate(session, chain, info, bundle, hash, who)
    local done, err
    if info.next_bundle ~= hash then
        done, err = session:call(chain, 'ate.bundle',
            {bundle = ate.bin(bundle)}, who)
        if done == nil or done.proposal ~= nil then
            return done, err, 'ate.bundle'
        end
    end
    done, err = session:call(chain, 'ate.activate', {bundle = hash}, who)
    return done, err and explain(session, chain, hash, err), 'ate.activate'
end

--- Put the schema of a file in force, where the chain may grow so.
-- @tparam table session
-- @tparam string chain
-- @tparam string path
-- @treturn[1] table the plan: {changes, events, refused, converted, ...}, or
-- {same = true}: nothing was to be done
-- @treturn[2] nil
-- @treturn[2] table err nothing was changed
function M.grow(session, chain, path)
    local bundle, loaded = bundles.load(path)
    if bundle == nil then
        return nil, loaded
    end
    local info, err = session:read(chain, 'info')
    if info == nil then
        return nil, err
    end
    if info.bundle == loaded.hash then
        return {same = true}
    end
    local plan
    plan, err = session:read(chain, 'plan', {bundle = ate.bin(bundle)})
    if plan == nil then
        return nil, err
    end
    local done
    done, err = M.activate(session, chain, info, bundle, loaded.hash)
    if done == nil then
        return nil, err
    end
    if session.schemas ~= nil then
        session.schemas[chain] = nil
    end
    return plan
end

return M
