--- Tables for people: columns aligned by what a terminal shows.
-- @module ate.client.grid
local ate = require('ate')

local M = {}

local GAP = '  '

local function pad(text, width, right)
    local space = (' '):rep(width - ate.text.width(text))
    return right and space .. text or text .. space
end

local function widths_of(columns, rows)
    local widths = {}
    for i, column in ipairs(columns) do
        widths[i] = ate.text.width(column.title)
    end
    for _, row in ipairs(rows) do
        for i in ipairs(columns) do
            widths[i] = math.max(widths[i], ate.text.width(row[i]))
        end
    end
    return widths
end

--- Lay out rows under their titles.
-- @tparam table columns list of {title, right}
-- @tparam table rows list of lists of texts, all printable
-- @tparam[opt] function bold text -> text, for the titles
-- @treturn string with a line feed behind each line; '' without columns
function M.render(columns, rows, bold)
    if #columns == 0 then
        return ''
    end
    local widths = widths_of(columns, rows)
    local lines = {}
    local function add(cells, style)
        local out = {}
        for i, column in ipairs(columns) do
            out[i] = pad(cells[i], widths[i], column.right)
        end
        local line = table.concat(out, GAP):gsub(' +$', '')
        lines[#lines + 1] = (style and style(line) or line) .. '\n'
    end
    local titles = {}
    for i, column in ipairs(columns) do
        titles[i] = column.title
    end
    add(titles, bold)
    for _, row in ipairs(rows) do
        add(row)
    end
    return table.concat(lines)
end

--- Lay out names and values, one pair a line.
-- @tparam table pairs_ list of {name, text}
-- @tparam[opt] function bold text -> text, for the names
-- @treturn string
function M.facts(pairs_, bold)
    local width = 0
    for _, pair in ipairs(pairs_) do
        width = math.max(width, ate.text.width(pair[1]))
    end
    local lines = {}
    for i, pair in ipairs(pairs_) do
        local name = pad(pair[1], width)
        lines[i] = (bold and bold(name) or name) .. GAP .. pair[2] .. '\n'
    end
    return table.concat(lines)
end

return M
