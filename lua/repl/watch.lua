--- The same again and again: \watch of the REPL.
-- @module ate.repl.watch
local ate = require('ate')
local stream = require('ate.client.stream')

local M = {}

local function follow(session, chain)
    local info, err = session:read(chain, 'info')
    if info == nil then
        return nil, err
    end
    return stream.open(session, {chain = chain, method = 'tail',
        args = {follow = true, from = info.size}}, function(chunk)
            return {chunk}
        end)
end

--- Run it whenever something came into the chain, until Ctrl-C.
-- @tparam table session
-- @tparam string chain
-- @tparam function run false: it failed, and is not run again
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] table err
function M.on_change(session, chain, run)
    local news, err = follow(session, chain)
    if news == nil then
        return nil, err
    end
    session.interrupted = false
    while run() and not session.interrupted do
        local ok, raised = pcall(news.next, news)
        if session.interrupted then
            break -- what ended the waiting was no change
        elseif not ok then
            return nil, raised
        end
        while session:pump(0) do -- what came together is one change
            news:skip()
        end
    end
    news:close()
    return true
end

--- Run it every so many seconds, until Ctrl-C.
-- @tparam number seconds
-- @tparam function run
function M.every(seconds, run)
    while run() do
        local _, interrupted = ate.host.wait({}, math.floor(seconds * 1000))
        if interrupted then
            return true
        end
    end
    return true
end

return M
