--- ate chain: make, list, follow and check chains.
local ate = require('ate')
local bundles = require('ate.client.bundles')
local cell = require('ate.client.cell')
local facts = require('ate.client.facts')
local output_option = require('ate.cli.out').option
local proving = require('ate.cli.proving')
local rows = require('ate.client.rows')
local signing = require('ate.cli.signing')
local tail = require('ate.cli.tail')
local write = require('ate.cli.write')

local NAME = {name = 'NAME', doc = 'The chain, such as bank or bank/main.'}

--- nil for no text.
local function split_list(text)
    if text == nil then
        return nil
    end
    local list = ate.list({})
    for part in text:gmatch('[^,%s]+') do
        list[#list + 1] = part
    end
    return list
end

--- Load a schema and say its warnings.
local function load_bundle(ctx, path)
    local bundle, report = bundles.load(path)
    if bundle == nil then
        return nil, report
    end
    for _, warning in ipairs(report.warnings or {}) do
        ctx.out:warn(warning)
    end
    return bundle, report
end

-- Those that say yes; the others only say no.
local SAYING_YES = {['accept-all'] = true, ['master-key-validator'] = true,
    ['trust-delegation'] = true}

--- Say what a list of materializers leaves out.
local function warn_of_stages(ctx, stages, schema)
    local has, is_open = {}, false
    for _, stage in ipairs(stages or {}) do
        has[stage] = true
        is_open = is_open or SAYING_YES[stage] == true
    end
    if stages ~= nil and not is_open then
        ctx.out:warn('nothing will ever be accepted: --accept has none of '
            .. 'accept-all, master-key-validator, trust-delegation')
    end
    if stages ~= nil and not has['structured-logic'] and #schema.rules > 0 then
        local rules = #schema.rules == 1 and 'rule'
            or #schema.rules .. ' rules'
        ctx.out:warn(('the %s of the schema will not be asked: --accept has no '
            .. 'structured-logic'):format(rules))
    end
end

local function created_line(ctx, info)
    local keys = {}
    for i, root in ipairs(info.roots) do
        keys[i] = cell.short(root)
    end
    local text = ('%s  %s  schema %s %s  bodies %s  key %s'):format(
        info.name or ctx.args.NAME, cell.short(info.id),
        cell.text(info.schema), cell.text(info.version),
        cell.text(info.bodies), table.concat(keys, ','))
    return text .. (ctx.is_new_folder and ' (new)' or '')
end

local function create(ctx)
    local stages = split_list(ctx.options.accept)
    if stages ~= nil and #stages == 0 then
        return nil, ate.error('INVALID', 'chain create: --accept is empty')
    end
    local bundle, report = load_bundle(ctx, ctx.options.schema)
    if bundle == nil then
        return nil, report
    end
    local session, err = ctx:open('create')
    if session == nil then
        return nil, err
    end
    local made
    made, err = session:call(nil, 'chain.create', {
        name = ctx.args.NAME,
        bundle = ate.bin(bundle),
        accept = stages,
        roots = split_list(ctx.options.root),
        threshold = ctx.options.threshold,
        next = split_list(ctx.options.next),
        next_threshold = ctx.options['next-threshold'],
    }, ctx.options.as)
    if made == nil then
        return nil, err
    end
    warn_of_stages(ctx, stages, report.schema)
    local info
    info, err = session:read(ctx.args.NAME, 'info')
    if info == nil then
        return nil, err
    end
    if ctx.out.is_json then
        info.warnings = ctx.out:warnings()
        ctx.out:json(info)
    else
        ctx.out:line(created_line(ctx, info))
    end
    return 0
end

local function order(ctx)
    return write.run(ctx, 'ate.order', {to = ctx.args.KEY})
end

local function rotate(ctx)
    return write.run(ctx, 'ate.rotate', {
        keys = split_list(ctx.options.key),
        threshold = ctx.options.threshold,
        next = split_list(ctx.options.next),
        next_threshold = ctx.options['next-threshold'],
    })
end

-- Of sets of root keys.
local THRESHOLD = {name = 'threshold', value = 'COUNT', number = true,
    doc = 'How many root keys have to agree; else all.'}
local NEXT = {name = 'next', value = 'KEY', list = true,
    doc = 'A root key of the set that may follow, and no other; repeated.'}
local NEXT_THRESHOLD = {name = 'next-threshold', value = 'COUNT', number = true,
    doc = 'How many of those have to agree; else all.'}

local LONG_COLUMNS = {
    {name = 'name'},
    {name = 'id', get = function(row)
        return cell.short(row.id)
    end},
    {name = 'schema'},
    {name = 'version', right = true},
    {name = 'size', right = true},
    {name = 'state'},
}

--- What is wrong with a chain, of which `info` or a list tells the error.
local function damage(info)
    local text = cell.text(info.error)
    local front = ('chain %s: '):format(info.name)
    if text:sub(1, #front) ~= front then
        text = front .. text
    end
    local err = ate.error(info.code or 'CORRUPT', text, info.reason)
    err.chain = info.name
    return err
end

local function ls(ctx)
    local session, err = ctx:open('read')
    if session == nil then
        return nil, err
    end
    local chains
    chains, err = session:call(nil, 'chain.ls')
    if chains == nil then
        return nil, err
    end
    local columns = ctx.options.long and LONG_COLUMNS or {unpack(LONG_COLUMNS,
        1, 2)}
    local writer = rows.writer(ctx.out, columns, ctx.options.output)
    local problems = {}
    for _, chain in ipairs(chains) do
        local found = chain
        if chain.unnamed then
            ctx.out:warn(chain.error)
        elseif ctx.options.long then
            found, err = session:read(chain.name, 'info')
            found = found or {name = chain.name, id = chain.id,
                state = 'failed', error = err.text, code = err.code,
                reason = err.reason}
        end
        if found.error ~= nil then
            problems[#problems + 1] = damage(found)
        end
        writer.row(found)
    end
    writer.close()
    for _, problem in ipairs(problems) do
        ctx.out:error(problem)
    end
    return #problems > 0 and problems[1].exit or 0
end

local INFO = {
    'name', 'id', 'schema', 'version', 'bodies', 'size', 'time', 'root',
    'accept', 'roots', 'threshold', 'next_roots', 'order', 'term', 'vkey',
    'bundle', 'next_bundle', 'state_root', 'objects', 'rows', 'head_bytes', 'body_bytes',
    'torn_bytes', 'cut_bytes', 'suspect', 'damaged_slot', 'folder', 'state',
    'error', 'code', 'reason',
}

local function info(ctx)
    local session, err = ctx:open('read')
    if session == nil then
        return nil, err
    end
    local found
    found, err = session:read(ctx.args.NAME, 'info',
        {state = ctx.options.state})
    if found == nil then
        return nil, err
    end
    facts.print(ctx.out, found, INFO)
    if found.error ~= nil then
        return nil, damage(found)
    end
    return 0
end

local function path(ctx)
    local session, err = ctx:open('read')
    if session == nil then
        return nil, err
    end
    local found
    found, err = session:read(ctx.args.NAME, 'info')
    if found == nil then
        return nil, err
    end
    if ctx.out.is_json then
        ctx.out:json({path = found.folder})
    else
        ctx.out:write(cell.text(found.folder) .. '\n')
    end
    return 0
end

local function follow(ctx)
    local session, err = ctx:open('read')
    if session == nil then
        return nil, err
    end
    return tail.run(ctx, session, ctx.args.NAME)
end

local function verify(ctx)
    local name = ctx.args.NAME
    if (name == nil) == (ctx.options.path == nil) then
        return nil, ate.error('INVALID', 'chain verify takes a NAME, or '
            .. '--path DIR for a chain\'s folder that stands anywhere')
    end
    local session, err = ctx:open_chain(name, ctx.options.path)
    if session == nil then
        return nil, err
    end
    local report
    local args = ctx.options['no-rules'] and {no_rules = true} or nil
    report, err = session:read(name or '', 'verify', args, function(step)
        ctx.out:progress('verify', step.done or 0, step.total or 0)
    end)
    ctx.out:clear_progress()
    if report == nil then
        return nil, ctx:in_folder(err, ctx.options.path)
    end
    if report.damaged_slot ~= nil then
        ctx.out:warn(report.damaged_slot)
    end
    if report.torn_bytes ~= nil then
        ctx.out:warn(('behind the last frame stand %d bytes that were not '
            .. 'looked at: a write that was cut short, or a copy that is not '
            .. 'whole'):format(report.torn_bytes))
    end
    if ctx.out.is_json then
        ctx.out:json(report)
    else
        facts.verified(ctx.out, report)
    end
    return 0
end

return {
    name = 'chain',
    doc = 'Chains: make, list, follow, check.',
    verbs = {
        {
            name = 'create',
            doc = 'Make a chain from a schema.',
            args = {NAME},
            options = {
                {name = 'schema', value = 'FILE', required = true,
                    hint = 'ate new DIR makes one to start from',
                    doc = 'The schema, a file of Lua; what it requires is '
                        .. 'stored with it.\nOr one that comes with ate: '
                        .. 'ate:key_value, ate:ledger.'},
                {name = 'accept', value = 'LIST',
                    doc = 'The materializers that are asked, by commas; else '
                        .. 'trust-delegation,serializer,structured-logic: '
                        .. 'only those write who were granted it. '
                        .. 'accept-all in place of the first lets strangers '
                        .. 'write, master-key-validator the root keys alone. '
                        .. 'serializer asks types, structured-logic asks '
                        .. 'rules.'},
                signing.as,
                {name = 'root', value = 'KEY', list = true,
                    doc = 'A root key; repeated for several. Else the one '
                        .. 'that signs.'},
                THRESHOLD, NEXT, NEXT_THRESHOLD,
            },
            more = 'With --json, what it warns of are texts in `warnings`.',
            examples = {
                'ate chain create books --schema books.lua',
                'ate chain create bank --schema bank.lua --accept accept-all,'
                    .. 'serializer,structured-logic',
                'ate chain create vault --schema bank.lua --root ann '
                    .. '--root bob --root cy --threshold 2',
            },
            run = create,
        },
        {
            name = 'ls',
            doc = 'List the chains.',
            options = {
                {name = 'long', short = 'l', doc = 'Show the schema, the size '
                    .. 'and the state, too; opens each chain.'},
                output_option,
            },
            run = ls,
        },
        {
            name = 'info',
            doc = 'Show what a chain is.',
            args = {NAME},
            options = {{name = 'state', doc = 'Show the state root, too, and '
                .. 'how many objects and rows there are; takes a walk over '
                .. 'all of them.'}},
            run = info,
        },
        {
            name = 'tail',
            doc = 'Show the last transactions; -f follows.',
            args = {NAME},
            options = tail.options,
            more = 'With --json each transaction is one line of JSON.',
            examples = {'ate chain tail bank -f', 'ate chain tail bank -n 100'},
            run = follow,
        },
        {
            name = 'verify',
            doc = 'Check every hash, signature and verdict from the beginning.',
            args = {{name = 'NAME', optional = true, doc = NAME.doc}},
            options = {{name = 'path', value = 'DIR',
                doc = 'A chain\'s folder, copied from anywhere; no key needed.'
            }, {name = 'no-rules', doc = 'Check everything but what the '
                .. 'schema\'s Lua says: run no rule, fold or upgrade.'}},
            more = 'The order key promises the order of the log by heartbeats '
                .. 'in it, which come with the next write, a second later or '
                .. 'more. Behind the last one stand transactions that only '
                .. 'their authors have signed, and receipts that were given: '
                .. '"not the 1 behind it" is how many. That is so after any '
                .. 'end, and no damage.',
            examples = {'ate chain verify bank',
                'ate chain verify --path /tmp/copy'},
            run = verify,
        },
        proving.checkpoint,
        proving.proof,
        proving.publish,
        {
            name = 'order',
            doc = 'Let another key order the chain from now on.',
            args = {NAME, {name = 'KEY', doc = 'The key; where it is, the '
                .. 'chain can be written to.'}},
            options = signing.options,
            more = 'A copy of a chain becomes writable where its root keys '
                .. 'are by\nate chain order NAME node.',
            examples = {'ate chain order bank node'},
            run = order,
        },
        {
            name = 'rotate',
            doc = 'Put other root keys in place.',
            args = {NAME},
            options = signing.and_more({
                {name = 'key', value = 'KEY', list = true, required = true,
                    doc = 'A root key from now on; repeated for several.'},
                THRESHOLD, NEXT, NEXT_THRESHOLD,
            }),
            more = 'The old root keys have to agree, and the new ones: name '
                .. 'them with --root.',
            examples = {'ate chain rotate vault --key ann --key dan '
                .. '--threshold 2 --as ann --root bob --root dan'},
            run = rotate,
        },
        {name = 'path', doc = 'Print the folder of a chain.', args = {NAME},
            run = path},
    },
}
