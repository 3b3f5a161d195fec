--- The end of a chain, transaction by transaction.
-- @module ate.cli.tail
local ate = require('ate')
local cell = require('ate.client.cell')
local problem = require('ate.client.problem')

local M = {}

local DEFAULT_COUNT = 10

--- Options of `ate chain tail`.
M.options = {
    {name = 'follow', short = 'f', doc = 'Wait for what comes, until Ctrl-C.'},
    {name = 'lines', short = 'n', value = 'COUNT', number = true,
        doc = 'How many transactions from the end; 10 by default.'},
    {name = 'from', value = 'INDEX', number = true,
        doc = 'Begin at this index instead.'},
}

local MARKS = {new = '+', edit = '~', delete = '-', fact = '+'}

--- A list of texts as one, such as rights; any other value as `text_of` has it.
local function value_text(value, text_of)
    if type(value) ~= 'table' or #value == 0 then
        return text_of(value)
    end
    local parts = {}
    for i, item in ipairs(value) do
        if type(item) ~= 'string' or item:find(',', 1, true) then
            return text_of(value)
        end
        parts[i] = text_of(item)
    end
    return table.concat(parts, ',')
end

--- The fields of an event on a line, sorted by name.
-- @tparam ?table fields
-- @tparam function text_of of a value: cell.text or cell.short
-- @treturn string
function M.fields_text(fields, text_of)
    local names, parts = {}, {}
    for name in pairs(fields or {}) do
        if name ~= '_' then
            names[#names + 1] = name
        end
    end
    table.sort(names)
    for i, name in ipairs(names) do
        local text = value_text(fields[name], text_of)
        if text == '' or text:find('[%s"=\\]') then
            text = ('"%s"'):format((text:gsub('["\\]', '\\%0')))
        end
        parts[i] = name .. '=' .. text
    end
    return table.concat(parts, ' ')
end

local function event_text(event)
    local parts = {MARKS[event.change] or '?', event.type}
    if event.id ~= nil and event.id ~= ate.null then
        parts[#parts + 1] = cell.text(event.id)
    end
    local fields = M.fields_text(event.fields, cell.short)
    if fields ~= '' then
        parts[#parts + 1] = fields
    end
    if event.under ~= nil then
        parts[#parts + 1] = '(under ' .. cell.text(event.under) .. ')'
    end
    return table.concat(parts, ' ')
end

--- The lines of one transaction.
-- @tparam table tx a row of `tail`
-- @tparam[opt] string main the schema whose name goes without saying
-- @treturn table list of texts
function M.lines(tx, main)
    local method = cell.text(tx.method)
    if main ~= nil and method:sub(1, #main + 1) == main .. '.' then
        method = method:sub(#main + 2)
    end
    local head = ('%s  %s  %s  %s'):format(cell.text(tx.index),
        cell.text(tx.time), cell.text(tx.author), method)
    local events = tx.events or {}
    if #events == 0 then
        return {head}
    end
    local lines = {head .. '  ' .. event_text(events[1])}
    for i = 2, #events do
        lines[i] = (' '):rep(ate.text.width(head)) .. '  '
            .. event_text(events[i])
    end
    return lines
end

local function first_index(ctx, info)
    if ctx.options.from ~= nil then
        return ctx.options.from
    end
    local count = ctx.options.lines or DEFAULT_COUNT
    return math.max(0, info.size - count)
end

--- Print the end of a chain.
-- @tparam table ctx
-- @tparam table session
-- @tparam string chain
-- @treturn[1] integer exit code
-- @treturn[2] nil
-- @treturn[2] table err
function M.run(ctx, session, chain)
    local info, err = session:read(chain, 'info')
    if info == nil then
        return nil, err
    end
    local from = first_index(ctx, info)
    local limit = ctx.options.from and ctx.options.lines or nil
    local done
    done, err = session:read(chain, 'tail', {from = from, limit = limit,
        follow = ctx.options.follow}, function(tx)
        if ctx.out.is_json then
            ctx.out:json_line(tx)
        else
            for _, line in ipairs(M.lines(tx, info.schema)) do
                ctx.out:line(line)
            end
        end
        if ctx.options.follow then
            io.stdout:flush()
        end
    end)
    if done == nil and not (session.interrupted and ctx.options.follow) then
        return nil, problem.say(err, chain)
    end
    if info.error ~= nil then
        return nil, ate.error(info.code, ('chain %s: %s'):format(chain,
            info.error))
    end
    return done == nil and err.exit or 0
end

return M
