--- The end of a chain, transaction by transaction.
-- @module ate.cli.tail
local ate = require('ate')
local problem = require('ate.client.problem')
local transaction = require('ate.client.transaction')

local M = {}

local DEFAULT_COUNT = 10

--- Options of `ate chain tail`.
M.options = {
    {name = 'follow', short = 'f', doc = 'Wait for what comes, until Ctrl-C.'},
    {name = 'lines', short = 'n', value = 'COUNT', number = true,
        doc = 'How many transactions from the end; 10 by default.'},
    {name = 'from', value = 'INDEX', number = true,
        doc = 'Begin at this index instead.'},
}

local function first_index(ctx, info)
    if ctx.options.from ~= nil then
        return ctx.options.from
    end
    local count = ctx.options.lines or DEFAULT_COUNT
    return math.max(0, info.size - count)
end

--- Print the end of a chain.
-- @tparam table ctx
-- @tparam table session
-- @tparam string chain
-- @treturn[1] integer exit code
-- @treturn[2] nil
-- @treturn[2] table err
function M.run(ctx, session, chain)
    local info, err = session:read(chain, 'info')
    if info == nil then
        return nil, err
    end
    local from = first_index(ctx, info)
    local limit = ctx.options.from and ctx.options.lines or nil
    local done
    done, err = session:read(chain, 'tail', {from = from, limit = limit,
        follow = ctx.options.follow}, function(tx)
        if ctx.out.is_json then
            ctx.out:json_line(tx)
        else
            for _, line in ipairs(transaction.lines(tx, info.schema)) do
                ctx.out:line(line)
            end
        end
        if ctx.options.follow then
            io.stdout:flush()
        end
    end)
    if done == nil and not (session.interrupted and ctx.options.follow) then
        return nil, problem.say(err, chain)
    end
    if info.error ~= nil then
        return nil, ate.error(info.code, ('chain %s: %s'):format(chain,
            info.error))
    end
    return done == nil and err.exit or 0
end

return M
