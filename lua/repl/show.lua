--- Values as the REPL prints them.
-- @module ate.repl.show
local ate = require('ate')
local cell = require('ate.client.cell')
local chain = require('ate.repl.chain')
local compare = require('ate.test.compare')
local facts = require('ate.client.facts')
local grid = require('ate.client.grid')
local receipt = require('ate.client.receipt')
local rows = require('ate.client.rows')
local shape = require('ate.client.shape')
local transaction = require('ate.client.transaction')
local yaml = require('ate.client.yaml')

local M = {}

local function is_rows(value)
    return type(value) == 'table' and type(value[1]) == 'table'
        and getmetatable(value[1]) == nil and not ate.is_list(value[1])
end

--- Each row as lines of name and value, whole.
local function show_lines(out, value, columns)
    for i, row in ipairs(value) do
        local lines = {}
        for j, column in ipairs(columns) do
            lines[j] = {column.title or column.name, cell.shown(
                column.get ~= nil and column.get(row) or row[column.name])}
        end
        out:write(out:dim(('-- %d --'):format(i)) .. '\n')
        out:write(grid.facts(lines, out:bolder()))
    end
end

local function show_rows(repl, value, columns)
    local out = repl.out
    if repl.format == 'lines' then
        return show_lines(out, value, columns)
    end
    local copies = {}
    for i, column in ipairs(columns) do
        copies[i] = {name = column.name, title = column.title,
            right = column.right, get = column.get}
    end
    local writer = rows.writer(out, copies, 'table')
    for _, row in ipairs(value) do
        writer.row(row)
    end
    writer.close()
end

local function show_table(repl, value)
    local known = repl.known[value] or {}
    local out = repl.out
    if known.write ~= nil then
        out:line(receipt.line(known.write, value))
    elseif known.lines ~= nil then
        for _, line in ipairs(known.lines) do
            out:line(line)
        end
    elseif known.tail ~= nil then
        for _, tx in ipairs(value) do
            for _, line in ipairs(transaction.lines(tx, known.tail)) do
                out:line(line)
            end
        end
    elseif known.columns ~= nil then
        show_rows(repl, value, known.columns)
    elseif getmetatable(value) ~= nil and not ate.is_list(value) then
        out:line(tostring(value))
    elseif is_rows(value) then
        show_rows(repl, value, shape.any_columns(value))
    elseif ate.is_list(value) then
        for _, item in ipairs(value) do
            out:line(cell.shown(item))
        end
    elseif next(value) == nil then
        out:line('{}')
    else
        local ok = pcall(facts.print, out, value)
        if not ok then
            out:line(compare.show(value))
        end
    end
end

local function as_json(out, value)
    local text = ate.json.encode(value == nil and ate.null or value,
        out.color and 2 or 0)
    out:write(ate.text.printable(text or tostring(value), '\n') .. '\n')
end

--- Print one value in the format that \x chose.
-- @tparam table repl {out, format, known}
-- @param value
function M.value(repl, value)
    local out = repl.out
    local is_part = chain.is_part(value)
    if is_part then
        value = tostring(value)
    end
    if repl.format == 'json' then
        as_json(out, value)
    elseif repl.format == 'yaml' then
        out:write(ate.text.printable(yaml.encode(value) or tostring(value)
            .. '\n', '\n'))
    elseif repl.format == 'lua' then
        out:write(ate.text.printable(compare.show(value)) .. '\n')
    elseif value == nil or value == ate.null then
        out:line('nil')
    elseif is_part then
        out:write(ate.text.printable(value, '\n') .. '\n')
    elseif type(value) == 'table' then
        show_table(repl, value)
    else
        out:line(cell.shown(value))
    end
end

return M
