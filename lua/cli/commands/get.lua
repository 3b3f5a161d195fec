--- ate get NAME TYPE KEY
local ate = require('ate')
local body = require('ate.cli.body')
local follow = require('ate.cli.follow')
local facts = require('ate.client.facts')
local problem = require('ate.client.problem')
local shape = require('ate.client.shape')

local function run(ctx)
    if ctx.options.from ~= nil and not ctx.options.follow then
        return nil, ate.error('INVALID', 'get: --from goes with --follow')
    end
    local session, err = ctx:open('read')
    if session == nil then
        return nil, err
    end
    local chain = ctx.args.NAME
    local schema
    schema, err = session:schema(chain)
    if schema == nil then
        return nil, err
    end
    local type_
    type_, err = shape.find(schema, 'type', ctx.args.TYPE, chain)
    if type_ == nil then
        return nil, err
    end
    if ctx.options.body ~= nil then
        return body.save(ctx, session, {type = type_.name, key = ctx.args.KEY})
    end
    if ctx.options.follow then
        return follow.run(ctx, session, 'get', {type = type_.name,
            key = ctx.args.KEY})
    end
    local object
    object, err = session:read(chain, 'get', {type = type_.name,
        key = ctx.args.KEY})
    if object == nil then
        return nil, problem.say(err, chain)
    end
    if not ctx.out.is_json and shape.has_key(type_) then
        object.id = nil -- the key says it already
    end
    local order = {}
    for i, column in ipairs(shape.type_columns(type_)) do
        order[i] = column.name
    end
    facts.print(ctx.out, object, order)
    return 0
end

local options = {
    {name = 'body', value = 'FILE',
        doc = 'Write its body into a file, verified; - is stdout.'},
    {name = 'range', value = 'FROM:COUNT',
        doc = 'With --body: only so many bytes from there on.'},
}
for _, option in ipairs(follow.options) do
    options[#options + 1] = option
end

return {
    name = 'get',
    doc = 'Show one object or fact.',
    args = {
        {name = 'NAME', doc = 'The chain.'},
        {name = 'TYPE', doc = 'The type, such as account.'},
        {name = 'KEY', doc = 'Its key, such as alice or project/7; a fact '
            .. 'without key: 3.0.'},
    },
    options = options,
    examples = {'ate get bank account alice', 'ate get bank transfer 3.0',
        'ate get files file film.mp4 --body film.mp4',
        'ate get bank account alice --follow'},
    run = run,
}
