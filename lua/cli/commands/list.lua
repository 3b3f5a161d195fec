--- ate list NAME TYPE
local follow = require('ate.cli.follow')
local shape = require('ate.client.shape')
local stream = require('ate.cli.stream')

local function run(ctx)
    return stream.run(ctx, 'list', 'type', ctx.args.TYPE, shape.type_columns,
        function()
            return {parent = ctx.options.parent}
        end)
end

local options = {
    {name = 'parent', value = 'KEY', doc = 'Only those below this object; '
        .. 'of an optional parent, \'\' for those without one.'},
}
for _, more in ipairs({stream.options, follow.options}) do
    for _, option in ipairs(more) do
        options[#options + 1] = option
    end
end

return {
    name = 'list',
    doc = 'List the objects or facts of a type.',
    args = {
        {name = 'NAME', doc = 'The chain.'},
        {name = 'TYPE', doc = 'The type, such as account.'},
    },
    options = options,
    examples = {
        'ate list bank transfer --last --limit 20',
        'ate list tracker issue --parent ate -o csv',
        'ate list bank account --follow --json',
    },
    run = run,
}
