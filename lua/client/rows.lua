--- Rows on their way to stdout: as a table, as CSV or as JSON.
-- @module ate.client.rows
local cell = require('ate.client.cell')
local csv = require('ate.client.csv')
local grid = require('ate.client.grid')
local ate = require('ate')

local M = {}

local function cells_of(columns, row, show)
    local cells = {}
    for i, column in ipairs(columns) do
        cells[i] = show(column.get ~= nil and column.get(row)
            or row[column.name])
    end
    return cells
end

local writers = {}

function writers.table(out, columns)
    local rows = {}
    return {
        row = function(row)
            rows[#rows + 1] = cells_of(columns, row, cell.shown)
        end,
        close = function()
            out:write(grid.render(columns, rows, out:bolder(), out:columns()))
        end,
    }
end

function writers.csv(out, columns)
    local titles = {}
    for i, column in ipairs(columns) do
        titles[i] = column.title
    end
    out:write(csv.line(titles))
    return {
        row = function(row)
            out:write(csv.line(cells_of(columns, row, cell.text)))
        end,
        close = function() end,
    }
end

--- One document, one row a line, so that both readers are served.
function writers.json(out)
    local before = '[\n'
    return {
        row = function(row)
            out:write(before .. assert(ate.json.encode(row)))
            before = ',\n'
        end,
        close = function()
            out:write(before == '[\n' and '[]\n' or '\n]\n')
        end,
    }
end

--- Make a writer: `row(row)` for each, then `close()`.
-- @tparam table out
-- @tparam table columns list of {name, title, right, get}
-- @tparam[opt] string format
-- @treturn table
function M.writer(out, columns, format)
    for _, column in ipairs(columns) do
        column.title = column.title or column.name
    end
    format = format or (out.is_json and 'json' or 'table')
    return writers[format](out, columns)
end

return M
