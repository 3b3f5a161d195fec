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
    M.print(ctx, method, done)
    return 0
end

--- Print what a write gave: its receipt, or a proposal.
-- @tparam table ctx
-- @tparam string method
-- @tparam table done
function M.print(ctx, method, done)
    local chain = ctx.args.NAME
    if ctx.out.is_json then
        done.chain, done.method = chain, method
        ctx.out:json(done)
    elseif done.proposal ~= nil then
        ctx.out:write(done.proposal)
    else
        ctx.out:line(receipt.line(method, done))
    end
end

return M
