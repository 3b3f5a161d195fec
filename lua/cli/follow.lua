--- What is read, and then each change of it: get, list, view with --follow.
-- @module ate.cli.follow
local ate = require('ate')
local cell = require('ate.client.cell')
local changes = require('ate.client.changes')
local problem = require('ate.client.problem')
local transaction = require('ate.client.transaction')

local M = {}

--- Options of those that can follow.
M.options = {
    {name = 'follow', short = 'f', doc = 'Then tell each change, until '
        .. 'Ctrl-C: `+` a row as it is now, `-` one that is no more.'},
    {name = 'from', value = 'POSITION', number = true,
        doc = 'With --follow: tell only what changed since this position.'},
}

--- One change as a line for people.
local function line_of(change)
    if change.put ~= nil then
        return '+ ' .. transaction.fields_text(change.put, cell.text)
    elseif change.gone == true then
        return '-'
    elseif change.gone ~= nil then
        return '- ' .. transaction.fields_text(change.gone, cell.text)
    elseif change.reset ~= nil then
        return '! all anew: ' .. change.reset
    elseif type(change.value) == 'table' and not ate.is_list(change.value) then
        return '+ ' .. transaction.fields_text(change.value, cell.text)
    end
    return '+ ' .. cell.text(change.value)
end

local function print_chunk(out, chunk)
    for _, change in ipairs(changes.of(chunk)) do
        if out.is_json then
            out:json_line(change)
        elseif next(change) ~= 'at' or next(change, 'at') ~= nil then
            out:line(line_of(change))
        end
    end
    io.stdout:flush()
end

--- Options that print rows as a whole make no sense here.
function M.check(options)
    local output = options.output
    if options.follow and output ~= nil and output ~= 'json' then
        return ate.error('INVALID', ('--follow prints lines, or JSON with '
            .. '--json; not --output %s'):format(output))
    end
    return nil
end

--- Read and follow until Ctrl-C.
-- @tparam table ctx
-- @tparam table session
-- @tparam string read of the engine: `get`, `list`, `view`, `call`
-- @tparam table args
-- @tparam[opt] table who as session:start() has it
-- @treturn[1] integer exit code
-- @treturn[2] nil
-- @treturn[2] table err
function M.run(ctx, session, read, args, who)
    local chain = ctx.args.NAME
    local at
    args.follow = true
    args.from = ctx.options.from
    local request = {chain = chain, method = read, args = args,
        as = who and who.as, act_for = who and who.act_for,
        context = who and who.context}
    local done, err = session:run('read', request, function(chunk)
        at = chunk.at or at
        print_chunk(ctx.out, chunk)
    end)
    if at ~= nil and not ctx.out.is_json then
        ctx.out:talk(('told up to position %d; --from %d goes on there')
            :format(at, at))
    end
    if done == nil and not session.interrupted then
        return nil, problem.say(err, chain)
    end
    return done == nil and err.exit or 0
end

return M
