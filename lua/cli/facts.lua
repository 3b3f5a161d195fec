--- One object as lines of name and value.
-- @module ate.cli.facts
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

--- `7 transactions, 7 signatures, 7 verdicts: all as recorded`
-- @tparam table report of `verify`
-- @treturn string
function M.verified(report)
    return ('%s, %s, %s: all as recorded'):format(
        count(report.transactions, 'transaction'),
        count(report.signatures, 'signature'),
        count(report.verdicts, 'verdict'))
end

return M
