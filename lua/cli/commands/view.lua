--- ate view NAME VIEW [column=value...]
local follow = require('ate.cli.follow')
local shape = require('ate.client.shape')
local stream = require('ate.cli.stream')
local values = require('ate.client.values')

local function run(ctx)
    local words = ctx.args['column=value']
    return stream.run(ctx, 'view', 'view', ctx.args.VIEW, shape.view_columns,
        function(view)
            if #words == 0 then
                return {}
            end
            local where, err = values.args(view.columns, words,
                ctx.args.NAME .. ' ' .. view.name)
            if where == nil then
                return nil, err
            end
            return {where = where}
        end)
end

local options = {}
for _, more in ipairs({stream.options, follow.options}) do
    for _, option in ipairs(more) do
        options[#options + 1] = option
    end
end

return {
    name = 'view',
    doc = 'Show the rows of a view.',
    args = {
        {name = 'NAME', doc = 'The chain.'},
        {name = 'VIEW', doc = 'The view, such as balance.'},
        {name = 'column=value', many = true, optional = true,
            doc = 'Only rows with these values.'},
    },
    options = options,
    examples = {'ate view bank balance', 'ate view bank balance account=alice',
        'ate view bank balance -o csv',
        'ate view bank balance --follow --from 12'},
    run = run,
}
