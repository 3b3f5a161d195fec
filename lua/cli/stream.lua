--- Commands that read rows: list, history, view.
-- @module ate.cli.stream
local follow = require('ate.cli.follow')
local output_option = require('ate.cli.out').option
local problem = require('ate.client.problem')
local rows = require('ate.client.rows')
local shape = require('ate.client.shape')

local M = {}

--- Options of those that may be long.
M.options = {
    {name = 'limit', short = 'n', value = 'COUNT', number = true,
        doc = 'At most so many rows.'},
    {name = 'last', doc = 'Begin at the end, the last row first.'},
    output_option,
}

--- Read rows and print them as they come.
-- @tparam table ctx
-- @tparam string read of the engine: `list`, `history`, `view`
-- @tparam string what `type` or `view`
-- @tparam string name of the type or view
-- @tparam function columns_of what the schema says of it -> columns
-- @tparam function more_args the same -> further arguments, or nil and err
-- @treturn[1] integer exit code
-- @treturn[2] nil
-- @treturn[2] table err
function M.run(ctx, read, what, name, columns_of, more_args)
    local chain = ctx.args.NAME
    local wrong = follow.check(ctx.options)
    if wrong ~= nil then
        return nil, wrong
    end
    local session, err = ctx:open('read')
    if session == nil then
        return nil, err
    end
    local schema, item, args
    schema, err = session:schema(chain)
    if schema == nil then
        return nil, err
    end
    item, err = shape.find(schema, what, name, chain)
    if item == nil then
        return nil, err
    end
    args, err = more_args(item)
    if args == nil then
        return nil, err
    end
    args[what] = item.name
    args.limit = ctx.options.limit
    args.order = ctx.options.last and 'last' or nil
    args.from = ctx.options.from
    if ctx.options.follow then
        return follow.run(ctx, session, read, args)
    end
    local writer = rows.writer(ctx.out, columns_of(item), ctx.options.output)
    local is_whole = args.limit == nil and args.order == nil
    local order = read == 'view' and is_whole and shape.row_order(item) or nil
    local kept = {}
    local done
    done, err = session:read(chain, read, args, function(row)
        if order ~= nil then
            kept[#kept + 1] = row
        else
            writer.row(row)
        end
    end)
    if done == nil then
        return nil, problem.say(err, chain)
    end
    table.sort(kept, order)
    for _, row in ipairs(kept) do
        writer.row(row)
    end
    writer.close()
    return 0
end

return M
