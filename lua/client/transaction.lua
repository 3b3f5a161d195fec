--- A transaction as lines, and its fields on one.
-- @module ate.client.transaction
local ate = require('ate')
local cell = require('ate.client.cell')

local M = {}

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

return M
