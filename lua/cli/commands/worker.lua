--- ate worker: what happens when events came and times have passed.
local ate = require('ate')
local advice = require('ate.client.advice')
local cell = require('ate.client.cell')
local config = require('ate.client.config')
local output_option = require('ate.cli.out').option
local problem = require('ate.client.problem')
local receipt = require('ate.client.receipt')
local rows = require('ate.client.rows')
local settings = require('ate.cli.settings')
local signing = require('ate.cli.signing')

local NAME = {name = 'NAME', doc = 'The chain.'}
local WORKER = {name = 'WORKER', optional = true, doc = 'This one alone.'}

local function plain(value)
    return value ~= nil and value ~= ate.null
end

-- ---- ls ----

local function waits_for(row)
    if plain(row.due) then
        return row.due[1] .. '.' .. row.due[2]
    end
    return table.concat(row.on or {}, ',')
end

local WORKERS = {
    {name = 'worker'},
    {name = 'on', title = 'waits for', get = waits_for},
    {name = 'waiting', right = true},
    {name = 'next'},
    {name = 'parked', right = true},
    {name = 'trying', right = true},
}

--- A row of a view on one line, as it is written in a call.
local function fields_text(row)
    local names = {}
    for name in pairs(row) do
        names[#names + 1] = name
    end
    table.sort(names)
    for i, name in ipairs(names) do
        names[i] = name .. '=' .. cell.text(row[name])
    end
    return table.concat(names, ' ')
end

local function state_of(row)
    if plain(row.parked) then
        return 'parked ' .. row.parked
    end
    if not plain(row.attempts) or row.attempts == 0 then
        return plain(row.step) and row.step or 'waiting'
    end
    local again = plain(row.in_ms)
        and (', again in %d s'):format(math.ceil(row.in_ms / 1000)) or ''
    return ('failed %d times%s'):format(row.attempts, again)
end

local ITEMS = {
    {name = 'worker'},
    {name = 'item'},
    {name = 'what', get = function(row)
        return plain(row.what) and row.what or plain(row.row)
            and fields_text(row.row) or nil
    end},
    {name = 'state', get = state_of},
    {name = 'why'},
}

--- What is tried just now, by worker and item.
local function trying(session, chain)
    local list, err = session:read(chain, 'trying')
    if list == nil then
        return nil, err
    end
    local by_item, by_worker = {}, {}
    for _, work in ipairs(list) do
        by_item[work.worker .. ' ' .. work.item] = work
        by_worker[work.worker] = (by_worker[work.worker] or 0) + 1
    end
    return by_item, by_worker
end

local function ls_workers(ctx, session)
    local _, count = trying(session, ctx.args.NAME)
    if type(count) ~= 'table' or count.code ~= nil then
        return nil, count
    end
    local writer = rows.writer(ctx.out, WORKERS, ctx.options.output)
    local done, err = session:read(ctx.args.NAME, 'workers', {}, function(row)
        row.trying = count[row.worker] or 0
        writer.row(row)
    end)
    if done == nil then
        return nil, err
    end
    writer.close()
    return 0
end

local function ls_items(ctx, session)
    local works, err = trying(session, ctx.args.NAME)
    if works == nil then
        return nil, err
    end
    local writer = rows.writer(ctx.out, ITEMS, ctx.options.output)
    local done
    done, err = session:read(ctx.args.NAME, 'work', {
        worker = ctx.args.WORKER,
        parked = ctx.options.parked or nil,
        limit = ctx.options.limit,
    }, function(row)
        local work = not plain(row.parked) and works[row.worker .. ' '
            .. row.item] or {}
        for _, name in ipairs({'step', 'attempts', 'in_ms', 'why'}) do
            row[name] = row[name] or work[name]
        end
        writer.row(row)
    end)
    if done == nil then
        return nil, err
    end
    writer.close()
    return 0
end

local function ls(ctx)
    local session, err = ctx:open('read')
    if session == nil then
        return nil, err
    end
    local list = (ctx.args.WORKER ~= nil or ctx.options.parked) and ls_items
        or ls_workers
    local code
    code, err = list(ctx, session)
    if code == nil then
        return nil, problem.say(err, ctx.args.NAME)
    end
    return code
end

-- ---- run ----

local function print_run(ctx, did)
    if ctx.out.is_json then
        ctx.out:json(did)
        return
    end
    for _, failure in ipairs(did.failures) do
        failure.chain = ctx.args.NAME
        ctx.out:line(('%s  %s %s  %s: %s'):format(failure.outcome,
            failure.worker, failure.item, failure.code,
            ate.text.printable(advice.text(failure))))
    end
    ctx.out:line(('%d done, %d failed, %d parked'):format(did.done, did.failed,
        did.parked))
end

local function run(ctx)
    local session, err = ctx:open('write')
    if session == nil then
        return nil, err
    end
    if not session:is_remote() then
        local conf
        conf, err = config.read(ctx:data(), settings.named(ctx.options))
        local ok = conf ~= nil
        if ok then
            ok, err = config.apply_http(session, conf)
        end
        if not ok then
            return nil, err
        end
    end
    local did
    did, err = session:call(ctx.args.NAME, 'ate.workers',
        {worker = ctx.args.WORKER})
    if did == nil then
        return nil, problem.say(err, ctx.args.NAME)
    end
    print_run(ctx, did)
    return did.failed + did.parked == 0 and 0 or 1
end

-- ---- retry, drop ----

--- The places that are named; `all` are those that are parked.
local function places_of(ctx, session)
    if ctx.args.PLACE ~= 'all' then
        return {ctx.args.PLACE}
    end
    local parked, err = session:rows(ctx.args.NAME, 'work', {
        parked = true, worker = ctx.options.worker,
    })
    if parked == nil then
        return nil, err
    end
    local places = {}
    for i, row in ipairs(parked) do
        places[i] = row.parked
    end
    return places
end

local function each_parked(ctx, method)
    local chain = ctx.args.NAME
    local session, err = ctx:open('write')
    if session == nil then
        return nil, err
    end
    local list = ate.list({})
    local places
    places, err = places_of(ctx, session)
    if places == nil then
        return nil, problem.say(err, chain)
    end
    for _, place in ipairs(places) do
        local done
        done, err = session:call(chain, method, {parked = place},
            signing.of(ctx.options))
        if done == nil then
            return nil, problem.say(err, chain .. ' ' .. method)
        end
        done.chain, done.method, done.parked = chain, method, place
        list[#list + 1] = done
        if not ctx.out.is_json then
            ctx.out:line(receipt.line(method .. ' ' .. place, done))
        end
    end
    if ctx.out.is_json then
        ctx.out:json(list)
    end
    return 0
end

local PLACE = {name = 'PLACE', doc = 'Where it was parked, such as 12.0; all '
    .. 'is all that is.'}
local OF_PARKED = {
    {name = 'worker', value = 'WORKER', doc = 'With all: this one\'s alone.'},
    signing.options[1], signing.options[2], signing.options[3],
    signing.options[4],
}

return {
    name = 'worker',
    doc = 'What happens when events came and times have passed.',
    verbs = {
        {
            name = 'ls',
            doc = 'List workers, or what waits for one and what is parked.',
            args = {NAME, {name = 'WORKER', optional = true,
                doc = 'What waits for this one.'}},
            options = {
                {name = 'parked', doc = 'What is parked alone, of all workers '
                    .. 'or of one.'},
                {name = 'limit', short = 'n', value = 'COUNT', number = true,
                    doc = 'At most so many.'},
                output_option,
            },
            examples = {'ate worker ls bank', 'ate worker ls bank --parked'},
            run = ls,
        },
        {
            name = 'run',
            doc = 'Let workers work until nothing is left that they can do.',
            more = 'Each thing that waits is tried once, those that failed '
                .. 'before, too. Under\nate serve workers work by themselves. '
                .. 'Ends with 1 when something failed.',
            args = {NAME, WORKER},
            options = {settings.option},
            examples = {'ate worker run bank', 'ate worker run bank overdue'},
            run = run,
        },
        {
            name = 'retry',
            doc = 'Let workers try again what is parked.',
            args = {NAME, PLACE},
            options = OF_PARKED,
            examples = {'ate worker retry bank 12.0',
                'ate worker retry bank all --worker pay'},
            run = function(ctx)
                return each_parked(ctx, 'ate.retry')
            end,
        },
        {
            name = 'drop',
            doc = 'Give up what is parked: it is never worked.',
            args = {NAME, PLACE},
            options = OF_PARKED,
            examples = {'ate worker drop bank 12.0'},
            run = function(ctx)
                return each_parked(ctx, 'ate.drop')
            end,
        },
    },
}
