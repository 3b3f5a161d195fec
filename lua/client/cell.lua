--- One value as a short text, for tables and lists of separated values.
-- @module ate.client.cell
local ate = require('ate')

local M = {}

--- The text of a value; '' for one that is absent.
-- @param value
-- @treturn string
function M.text(value)
    if value == nil or value == ate.null then
        return ''
    end
    local kind = type(value)
    if kind == 'string' then
        if ate.text.valid(value) then
            return value
        end
        return (assert(ate.json.encode(value)):sub(2, -2))
    end
    if kind == 'number' and value % 1 == 0 and math.abs(value) <= 2 ^ 53 then
        return ('%.0f'):format(value)
    end
    if kind == 'cdata' then
        return (tostring(value):gsub('U?LL$', ''))
    end
    if kind == 'table' then
        return assert(ate.json.encode(value))
    end
    return tostring(value)
end

local WIDE = '\227\128\128' -- U+3000, a blank as wide as a letter

local function escaped(blanks)
    return (blanks:gsub(WIDE, '\\u{3000}'):gsub(' ', '\\x20'))
end

--- Blanks at an end of a text are seen in no table.
local function with_ends(text)
    local front = 1
    while text:sub(front, front) == ' ' or text:sub(front, front + 2) == WIDE do
        front = front + (text:sub(front, front) == ' ' and 1 or 3)
    end
    local back = #text
    while back >= front and (text:sub(back, back) == ' '
        or text:sub(back - 2, back) == WIDE) do
        back = back - (text:sub(back, back) == ' ' and 1 or 3)
    end
    return escaped(text:sub(1, front - 1)) .. text:sub(front, back)
        .. escaped(text:sub(back + 1))
end

--- The same, made harmless for a terminal, and so that texts which differ look
-- different: what has no width, blanks at the ends, and what escapes are made
-- of. JSON has its own.
function M.shown(value)
    local text = M.text(value)
    if type(value) == 'string' then
        text = text:gsub('\\', '\\\\')
    end
    return with_ends(ate.text.printable(text))
end

local HASH_DIGITS = 64

--- The beginning of a hash in hex; any other value in full.
-- @param value
-- @treturn string
function M.short(value)
    local text = M.text(value)
    if #text ~= HASH_DIGITS or text:find('[^%x]') then
        return text
    end
    return text:sub(1, 8) .. '…'
end

local RIGHT = {integer = true, amount = true}

--- Whether values of a type stand at the right of their column.
-- @tparam table field
-- @treturn boolean
function M.is_right(field)
    return RIGHT[field.kind] == true
end

return M
