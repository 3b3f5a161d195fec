--- ate grants NAME
local cell = require('ate.client.cell')
local output_option = require('ate.cli.out').option
local problem = require('ate.client.problem')
local rows = require('ate.client.rows')

local function words(list)
    local parts = {}
    for i, word in ipairs(list or {}) do
        parts[i] = cell.text(word)
    end
    return table.concat(parts, ',')
end

local COLUMNS = {
    {name = 'grant', title = 'grant'},
    {name = 'object', title = 'object'},
    {name = 'rights', title = 'rights', get = function(row)
        return words(row.rights)
    end},
    {name = 'to', title = 'to'},
    {name = 'by', title = 'by'},
    {name = 'depth', title = 'depth', right = true},
    {name = 'until', title = 'until'},
    {name = 'under', title = 'under'},
    {name = 'act_for', title = 'act_for'},
}
local ALL = {unpack(COLUMNS)}
ALL[#ALL + 1] = {name = 'in_force', title = 'in_force'}
ALL[#ALL + 1] = {name = 'revoked', title = 'revoked'}

local function run(ctx)
    local session, err = ctx:open('read')
    if session == nil then
        return nil, err
    end
    local all = ctx.options.all or nil
    local writer = rows.writer(ctx.out, all and ALL or COLUMNS,
        ctx.options.output)
    local done
    done, err = session:read(ctx.args.NAME, 'grants',
        {all = all, to = ctx.options.to}, writer.row)
    if done == nil then
        return nil, problem.say(err, ctx.args.NAME)
    end
    writer.close()
    return 0
end

return {
    name = 'grants',
    doc = 'List who may do what.',
    args = {{name = 'NAME', doc = 'The chain.'}},
    options = {
        {name = 'to', value = 'WHO', doc = 'Only those of one identity.'},
        {name = 'all', short = 'a',
            doc = 'Also those that were revoked or have ended.'},
        output_option,
    },
    examples = {'ate grants tracker', 'ate grants tracker --to bob --all'},
    run = run,
}
