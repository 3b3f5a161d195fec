--- ate key: the keys of this data folder.
local ate = require('ate')
local cell = require('ate.client.cell')
local files = require('ate.client.files')
local grid = require('ate.client.grid')
local output_option = require('ate.cli.out').option
local rows = require('ate.client.rows')

local FACTS = {'name', 'id', 'sign', 'box'}

local function print_key(ctx, key)
    if ctx.out.is_json then
        ctx.out:json(key)
        return 0
    end
    local facts = {}
    for i, name in ipairs(FACTS) do
        facts[i] = {name, cell.shown(key[name])}
    end
    ctx.out:write(grid.facts(facts, ctx.out:bolder()))
    return 0
end

local function ask(ctx, mode, method, args)
    local session, err = ctx:open(mode)
    if session == nil then
        return nil, err
    end
    return session:call(nil, method, args)
end

local function new(ctx)
    local answer, err = ask(ctx, 'create', 'key.new', {name = ctx.args.NAME})
    if answer == nil then
        return nil, err
    end
    ctx:say_made()
    return print_key(ctx, answer.result or answer)
end

local function ls(ctx)
    local keys, err = ask(ctx, 'read', 'key.ls')
    if keys == nil then
        return nil, err
    end
    local writer = rows.writer(ctx.out, {{name = 'name'}, {name = 'id'},
        {name = 'signs'}}, ctx.options.output)
    for _, key in ipairs(keys) do
        writer.row(key)
    end
    writer.close()
    return 0
end

local function show(ctx)
    local key, err = ask(ctx, 'read', 'key.show',
        {name = ctx.args.NAME or 'me'})
    if key == nil then
        return nil, err
    end
    if ctx.options.public and not ctx.out.is_json then
        ctx.out:write(key.public)
        return 0
    end
    return print_key(ctx, key)
end

local function add(ctx)
    local text, err = files.read_or_stdin('key add', ctx.args.FILE,
        files.MOST_SMALL)
    if text == nil then
        return nil, err
    end
    local key
    key, err = ask(ctx, 'create', 'key.add',
        {name = ctx.args.NAME, public = text})
    if key == nil then
        return nil, err
    end
    return print_key(ctx, key)
end

local function bearer(ctx)
    local has_rest, rest = pcall(require, 'ate.rest')
    if not has_rest then
        return nil, ate.error('UNAVAILABLE', 'key bearer: this ate was built '
            .. 'without REST')
    end
    local folder = ctx:data()
    if ate.host.kind(folder) == nil then
        return nil, ate.error('NOT_FOUND', ('no data folder at %s; ate chain '
            .. 'create makes one, --data DIR or ATE_DATA names another'):format(
            folder))
    end
    local key, path = rest.bearer(folder, ctx.options.new)
    if key == nil then
        return nil, path
    end
    if ctx.out.is_json then
        ctx.out:json({bearer = key, file = path})
    else
        ctx.out:line((ctx.options.header and 'Authorization: Bearer ' or '')
            .. key)
    end
    return 0
end

return {
    name = 'key',
    doc = 'Keys that sign: make, list, show.',
    verbs = {
        {
            name = 'new',
            doc = 'Make a key; --as NAME signs with it.',
            args = {{name = 'NAME', doc = 'How you call it.'}},
            examples = {'ate key new bob'},
            run = new,
        },
        {
            name = 'add',
            doc = 'Take in somebody else\'s public key.',
            args = {
                {name = 'NAME', doc = 'How you call it.'},
                {name = 'FILE', doc = 'What ate key show --public printed '
                    .. 'there; - reads stdin.'},
            },
            examples = {'ate key add bob bob.pub'},
            run = add,
        },
        {
            name = 'bearer',
            doc = 'Print the key that opens REST here.',
            more = 'Who has it does all that the keys of this folder may. It '
                .. 'stands in DATA/bearer,\nwhich its owner alone reads.',
            options = {
                {name = 'header', doc = 'Print the header that a request has.'},
                {name = 'new', doc = 'Make another; the one before counts no '
                    .. 'more, at once.'},
            },
            examples = {'ate key bearer', 'ate key bearer --new',
                'curl -H "$(ate key bearer --header)" localhost:8080/v1'},
            run = bearer,
        },
        {
            name = 'ls',
            doc = 'List the keys.',
            options = {output_option},
            run = ls,
        },
        {
            name = 'show',
            doc = 'Show the public part of a key.',
            args = {{name = 'NAME', optional = true, is_key = true,
                doc = 'The key; without it, me.'}},
            options = {{name = 'public', doc = 'Print the file that others '
                .. 'take in with ate key add.'}},
            run = show,
        },
    },
}
