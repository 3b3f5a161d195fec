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

--- The same, made harmless for a terminal.
function M.shown(value)
    return ate.text.printable(M.text(value))
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
