--- Commands that make one write: a call, and its receipt on a line.
-- @module ate.cli.write
local problem = require('ate.client.problem')
local receipt = require('ate.client.receipt')
local signing = require('ate.cli.signing')

local M = {}

--- Call a method of the chain NAME and print what it gave.
-- @tparam table ctx
-- @tparam string method
-- @tparam table args
-- @treturn[1] integer exit code
-- @treturn[2] nil
-- @treturn[2] table err
function M.run(ctx, method, args)
    local chain = ctx.args.NAME
    local session, err = ctx:open('write')
    if session == nil then
        return nil, err
    end
    local done
    done, err = session:call(chain, method, args, signing.of(ctx.options))
    if done == nil then
        return nil, problem.say(err, chain .. ' ' .. method)
    end
    if ctx.out.is_json then
        done.chain, done.method = chain, method
        ctx.out:json(done)
    else
        ctx.out:line(receipt.line(method, done))
    end
    return 0
end

return M
