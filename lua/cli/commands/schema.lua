--- ate schema: another schema for a chain.
local ate = require('ate')
local bundles = require('ate.client.bundles')
local cell = require('ate.client.cell')
local growing = require('ate.client.growing')
local parts = require('ate.client.parts')
local problem = require('ate.client.problem')
local receipt = require('ate.client.receipt')
local shell = require('ate.client.shell')
local signing = require('ate.cli.signing')
local source = require('ate.cli.source')
local suggest = require('ate.client.suggest')

local NAME = {name = 'NAME', doc = 'The chain.'}
local FILE = {name = 'FILE.lua', doc = 'The schema, with a higher `version` '
    .. 'than the one in force.'}

local EXIT_SOMETHING = 5

--- Load a schema and say its warnings.
local function load(ctx)
    local bundle, report = bundles.load(ctx.args['FILE.lua'])
    if bundle == nil then
        return nil, report
    end
    for _, warning in ipairs(report.warnings or {}) do
        ctx.out:warn(warning)
    end
    return bundle, report
end

local function count(n, what)
    return ('%s %s%s'):format(cell.text(n), what, n == 1 and '' or 's')
end

local function print_work(out, work)
    for _, of in ipairs(work) do
        if of.dropped > 0 then
            out:line(('worker %s never does %s that %s'):format(of.worker,
                count(of.dropped, 'thing'),
                of.dropped == 1 and 'waits' or 'wait'))
        end
        if of.new > 0 then
            out:line(('worker %s gets %s to do'):format(of.worker,
                count(of.new, 'thing')))
        end
    end
end

local function print_report(ctx, report)
    local out = ctx.out
    for _, change in ipairs(report.changes) do
        out:line(change)
    end
    print_work(out, report.work)
    local kept = report.events - report.refused
    out:line(('%s of %s %s; %s'):format(cell.text(kept),
        count(report.events, 'event'), report.events == 1
            and 'keeps its verdict' or 'keep their verdict',
        report.converted == 0
            and 'nothing to convert'
            or count(report.converted, 'event') .. ' to convert'))
    if report.refused > 0 then
        out:line(('what is in the log stays; the first that would be refused '
            .. 'now is transaction %s: %s'):format(
            cell.text(report.refused_index), report.refusal))
    end
end

--- Is this the schema that is in force?
local function is_same(info, report)
    return info.bundle == report.hash
end

local function ask_plan(ctx, session, bundle)
    local report, err = session:read(ctx.args.NAME, 'plan',
        {bundle = ate.bin(bundle)}, function(step)
            ctx.out:progress('plan', step.done or 0, step.total or 0)
        end)
    ctx.out:clear_progress()
    if report == nil then
        return nil, problem.say(err, ctx.args.NAME)
    end
    return report
end

local function plan(ctx)
    local bundle, loaded = load(ctx)
    if bundle == nil then
        return nil, loaded
    end
    local session, err
    session, err = ctx:open('read')
    if session == nil then
        return nil, err
    end
    local info
    info, err = session:read(ctx.args.NAME, 'info')
    if info == nil then
        return nil, problem.say(err, ctx.args.NAME)
    end
    if is_same(info, loaded) then
        if ctx.out.is_json then
            ctx.out:json({changes = ate.list({}), bundle = loaded.hash,
                warnings = ctx.out:warnings()})
        else
            ctx.out:line('nothing to do: this is the schema in force')
        end
        return 0
    end
    local report
    report, err = ask_plan(ctx, session, bundle)
    if report == nil then
        return nil, err
    end
    if ctx.out.is_json then
        report.warnings = ctx.out:warnings()
        ctx.out:json(report)
    else
        print_report(ctx, report)
    end
    return EXIT_SOMETHING
end

local function tell(ctx, done, method)
    if ctx.out.is_json then
        done.warnings = ctx.out:warnings()
        ctx.out:json(done)
    elseif done.proposal == nil then
        ctx.out:line(receipt.line('ate.activate', done))
    else
        ctx.out:write(done.proposal)
    end
    if done.proposal ~= nil and method == 'ate.bundle' then
        ctx.out:talk('this proposes to store the schema; when that is '
            .. 'submitted, the same command proposes to put it in force')
    end
end

--- What cannot be put in force is not stored, either. What is stored already was
-- tried, or somebody else's to store.
local function try(ctx, session, info, bundle, hash)
    if info.next_bundle == hash then
        return true
    end
    local report, err = ask_plan(ctx, session, bundle)
    return report ~= nil or nil, err
end

local function apply(ctx)
    local chain = ctx.args.NAME
    local bundle, loaded = load(ctx)
    if bundle == nil then
        return nil, loaded
    end
    local session, err = ctx:open('write')
    if session == nil then
        return nil, err
    end
    local info
    info, err = session:read(chain, 'info')
    if info == nil then
        return nil, problem.say(err, chain)
    end
    if is_same(info, loaded) then
        if ctx.out.is_json then
            ctx.out:json({changes = ate.list({}),
                warnings = ctx.out:warnings()})
        else
            ctx.out:line('nothing to do: this is the schema in force')
        end
        return 0
    end
    local ok
    ok, err = try(ctx, session, info, bundle, loaded.hash)
    if not ok then
        return nil, err
    end
    local done, method
    done, err, method = growing.activate(session, chain, info, bundle,
        loaded.hash, signing.of(ctx.options))
    if done == nil then
        return nil, problem.say(err, chain .. ' schema')
    end
    tell(ctx, done, method)
    return 0
end

local function show(ctx)
    local chain, name = ctx.args.NAME, ctx.args.PART
    local session, err = ctx:open('read')
    if session == nil then
        return nil, err
    end
    local schema
    schema, err = session:schema(chain)
    if schema == nil then
        return nil, err
    end
    if name == nil and ctx.out.is_json then
        ctx.out:json(schema)
        return 0
    elseif name == nil then
        parts.print(ctx.out, schema)
        return 0
    end
    local list = parts.named(schema, name)
    if #list == 0 then
        local hint = suggest.hint(name, parts.names(schema))
        return nil, ate.error('NOT_FOUND', ('%s: nothing is called %q%s')
            :format(chain, name, hint ~= '' and hint
                or '; ate schema show ' .. shell.quoted(chain)
                    .. ' says what there is'))
    elseif ctx.out.is_json then
        ctx.out:json(list)
    else
        parts.print_named(ctx.out, list)
    end
    return 0
end

return {
    name = 'schema',
    doc = 'The schema of a chain: what it has, another one and its changes.',
    verbs = {
        {
            name = 'show',
            doc = 'Show the types, views, rules and methods that a chain has.',
            args = {NAME, {name = 'PART', optional = true,
                doc = 'Only this type, view, rule or method.'}},
            more = 'With --json everything that the schema says, as programs '
                .. 'read it.',
            examples = {'ate schema show bank',
                'ate schema show bank transfer'},
            run = show,
        },
        {
            name = 'source',
            doc = 'Print the Lua that a chain keeps, as it was published.',
            args = {{name = 'NAME', optional = true,
                doc = 'The chain, unless --path names one.'},
                {name = 'MODULE', optional = true, doc = 'Print this module, '
                    .. 'byte for byte; else list them.'}},
            options = {
                {name = 'version', value = 'N', number = true,
                    doc = 'That of another version: one that was in force, or '
                        .. 'that root keys\nmay put in force.'},
                {name = 'all', value = 'DIR',
                    doc = 'Write all of it into a new or empty folder.'},
                {name = 'path', value = 'DIR', doc = 'A chain\'s folder, such '
                    .. 'as a copy that somebody sent.'},
            },
            more = 'The list says which hash root keys sign: `ate check '
                .. '--json` and `ate schema plan\n--json` give it of a file.',
            examples = {'ate schema source bank',
                'ate schema source bank bank > bank.lua',
                'ate schema source bank --version 1 --all bank-1',
                'ate schema source --path /tmp/copy bank'},
            run = source.run,
        },
        {
            name = 'plan',
            doc = 'Say what a schema would change; exit 0 nothing, 5 something.',
            args = {NAME, FILE},
            more = 'The log is tried under it from the beginning; nothing is '
                .. 'written.',
            examples = {'ate schema plan bank bank.lua'},
            run = plan,
        },
        {
            name = 'apply',
            doc = 'Store a schema in the chain and put it in force.',
            args = {NAME, FILE},
            options = signing.options,
            more = 'Types only grow: new fields need a default or have to be '
                .. 'optional; the rest\ntakes upgrade = {[1] = function(old) ... '
                .. 'end} in the type. Views are folded anew.\nIt takes two '
                .. 'transactions: one stores the schema, one puts it in force. '
                .. 'With --propose\neach is a proposal: submit the first, then '
                .. 'say the same again.',
            examples = {'ate schema apply bank bank.lua',
                'ate schema apply vault bank.lua --as ann --root cy --propose '
                    .. '> offer'},
            run = apply,
        },
    },
}
