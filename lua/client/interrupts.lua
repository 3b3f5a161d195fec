--- Lua that people wrote, which Ctrl-C and TERM end, also where it computes.
--
-- What waits for an answer hears of a signal by itself; a loop does not. It is
-- ended by a hook, which compiled code would not call: so nothing is compiled
-- from the first call on.
-- @module ate.client.interrupts
local ate = require('ate')

local M = {}

--- Call a function; a signal raises an error in it, and in nothing behind it.
-- @tparam function run
-- @tparam function handler as of xpcall()
-- @param ... arguments of `run`
-- @treturn[1] true
-- @return[1] what it gave
-- @treturn[2] false
-- @return[2] what the handler made of what was raised
function M.call(run, handler, ...)
    local catch = ate.host.catch
    local function ended(...)
        catch(false)
        return ...
    end
    local function passed_on(...)
        catch(false) -- what was raised left it as it was
        return ...
    end
    jit.off()
    return passed_on(xpcall(function(...)
        catch(true)
        return ended(run(...))
    end, handler, ...))
end

--- Whether a signal came that nothing has been told of.
-- @treturn boolean
function M.came()
    return ate.host.interrupted() or ate.host.ending()
end

return M
