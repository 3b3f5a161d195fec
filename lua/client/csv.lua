--- Comma-separated values as RFC 4180 has them, with plain line feeds.
-- @module ate.client.csv
local M = {}

local function field(text)
    if text:find('[",\r\n]') then
        return '"' .. text:gsub('"', '""') .. '"'
    end
    return text
end

--- One line, with its line feed.
-- @tparam table cells list of texts
-- @treturn string
function M.line(cells)
    local fields = {}
    for i, cell in ipairs(cells) do
        fields[i] = field(cell)
    end
    return table.concat(fields, ',') .. '\n'
end

return M
