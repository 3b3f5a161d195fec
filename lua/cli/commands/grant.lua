--- ate grant NAME OBJECT RIGHT --to WHO
local ate = require('ate')
local signing = require('ate.cli.signing')
local write = require('ate.cli.write')

local function rights_of(text)
    local list = ate.list({})
    for right in text:gmatch('[^,%s]+') do
        list[#list + 1] = right
    end
    return list
end

local function run(ctx)
    local options = ctx.options
    local object = ctx.args.OBJECT
    return write.run(ctx, 'ate.grant', {
        object = object ~= '/' and object or nil,
        rights = rights_of(ctx.args.RIGHT),
        to = options.to,
        depth = options.depth,
        ['until'] = options['until'],
        under = options.under,
        act_for = options['act-for'],
    })
end

return {
    name = 'grant',
    doc = 'Give somebody rights.',
    args = {
        {name = 'NAME', doc = 'The chain.'},
        {name = 'OBJECT', doc = 'TYPE/KEY, such as account/alice; all below '
            .. 'it, too. / is the whole chain.'},
        {name = 'RIGHT', doc = 'create, write, delete, delegate, '
            .. 'grant_reading, order, act_for, or one that the schema '
            .. 'declares; several by commas.'},
    },
    options = signing.and_more({
        {name = 'to', value = 'WHO', required = true,
            doc = 'Who gets them: a key\'s name, or key:HEX.'},
        {name = 'depth', value = 'COUNT', number = true,
            doc = 'How many grants may rest on this one in a row; else 0.'},
        {name = 'until', value = 'TIME', doc = 'When it ends, by log time.'},
        {name = 'under', value = 'GRANT',
            doc = 'The grant it rests on, such as 12.0; else the first that '
                .. 'allows it.'},
        {name = 'act-for', value = 'WHO',
            doc = 'With act_for: whom to act for; else you.'},
    }),
    examples = {
        'ate grant tracker project/ate create,write --to bob',
        'ate grant tracker / delegate,create --to carol --depth 2',
        'ate grant bank / act_for --to node',
    },
    run = run,
}
