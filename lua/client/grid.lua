--- Tables for people: columns aligned by what a terminal shows.
-- @module ate.client.grid
local ate = require('ate')

local M = {}

local GAP = '  '
local WIDTH_MIN = 8 -- of a column that is cut

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

--- Make columns of texts narrower until a line fits, the widest first. Numbers
-- stay whole, for a part of one says another.
local function fit(widths, columns, limit)
    local over = #GAP * (#widths - 1) - limit
    for _, width in ipairs(widths) do
        over = over + width
    end
    while over > 0 do
        local widest
        for i, width in ipairs(widths) do
            if not columns[i].right and width > WIDTH_MIN
                and (widest == nil or width > widths[widest]) then
                widest = i
            end
        end
        if widest == nil then
            return -- it does not fit, and is broken by the terminal
        end
        widths[widest] = widths[widest] - 1
        over = over - 1
    end
end

--- As much of a text as fits, with a mark when that is not all.
local function cut(text, width)
    if ate.text.width(text) <= width then
        return text
    end
    return ate.text.cut(text, width - 1) .. '…'
end

--- Lay out rows under their titles.
-- @tparam table columns list of {title, right}
-- @tparam table rows list of lists of texts, all printable
-- @tparam[opt] function bold text -> text, for the titles
-- @tparam[opt] integer limit of a line, where cells may be cut
-- @treturn string with a line feed behind each line; '' without columns
function M.render(columns, rows, bold, limit)
    if #columns == 0 then
        return ''
    end
    local widths = widths_of(columns, rows)
    if limit ~= nil then
        fit(widths, columns, limit)
    end
    local lines = {}
    local function add(cells, style)
        local out = {}
        for i, column in ipairs(columns) do
            out[i] = pad(cut(cells[i], widths[i]), widths[i], column.right)
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
