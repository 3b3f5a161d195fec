--- One object as lines of name and value.
-- @module ate.client.facts
local ate = require('ate')
local cell = require('ate.client.cell')
local grid = require('ate.client.grid')

local M = {}

local function shown(value)
    if ate.is_list(value) then
        local parts = {}
        for i, item in ipairs(value) do
            parts[i] = cell.shown(item)
        end
        return table.concat(parts, ', ')
    end
    return cell.shown(value)
end

--- Print a map; the named keys first, the others sorted behind them.
-- @tparam table out
-- @tparam table map
-- @tparam[opt] table first list of keys
function M.print(out, map, first)
    if out.is_json then
        out:json(map)
        return
    end
    local order, seen = {}, {}
    for _, name in ipairs(first or {}) do
        if map[name] ~= nil and map[name] ~= ate.null then
            order[#order + 1] = name
        end
        seen[name] = true
    end
    local rest = {}
    for name in pairs(map) do
        if not seen[name] and name ~= '_' then
            rest[#rest + 1] = name
        end
    end
    table.sort(rest)
    for _, name in ipairs(rest) do
        order[#order + 1] = name
    end
    local lines = {}
    for i, name in ipairs(order) do
        lines[i] = {name, shown(map[name])}
    end
    out:write(grid.facts(lines, out:bolder()))
end

local function count(n, one)
    return ('%s %s%s'):format(cell.text(n or 0), one, n == 1 and '' or 's')
end

--- Which chain it was, then `7 transactions, 7 signatures, 7 verdicts: all as
-- recorded`, and what the order key has not signed.
-- @tparam table out
-- @tparam table report of `verify`
function M.verified(out, report)
    M.print(out, {
        name = report.name,
        id = report.id,
        schema = ('%s %s'):format(report.schema, cell.text(report.version)),
        root = report.root,
    }, {'name', 'id', 'schema', 'root'})
    local text = ('%s, %s%s: all as recorded'):format(
        count(report.transactions, 'transaction'),
        count(report.signatures, 'signature'),
        report.rules and ', ' .. count(report.verdicts, 'verdict') or '')
    if report.behind > 0 and report.ordered > 0 then
        text = ('%s; signed by the order key up to transaction %s, not the %s '
            .. 'behind it'):format(text, cell.text(report.ordered - 1),
            cell.text(report.behind))
    elseif report.behind > 0 then
        text = text .. '; the order key signed none of it'
    end
    if not report.rules then
        text = text .. '; rules, which are Lua, were not asked'
    end
    out:line(text)
end

return M
