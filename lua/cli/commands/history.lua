--- ate history NAME TYPE KEY
local output_option = require('ate.cli.out').option
local shape = require('ate.client.shape')
local stream = require('ate.cli.stream')

local function run(ctx)
    return stream.run(ctx, 'history', 'type', ctx.args.TYPE,
        shape.history_columns, function()
            return {key = ctx.args.KEY}
        end)
end

return {
    name = 'history',
    doc = 'Show all versions of an object.',
    args = {
        {name = 'NAME', doc = 'The chain.'},
        {name = 'TYPE', doc = 'The type, such as account.'},
        {name = 'KEY', doc = 'The object\'s key.'},
    },
    options = {output_option},
    examples = {'ate history tracker issue project/7'},
    run = run,
}
