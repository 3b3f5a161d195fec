--- Values as YAML, for people: what a YAML 1.1 or 1.2 reader takes for the same
-- values that JSON has.
-- @module ate.client.yaml
local ate = require('ate')

local M = {}

local DEPTH = 64
local INDENT = '  '

--- What would be read as something else than a text, in any version of YAML.
local RESERVED = {['true'] = true, ['false'] = true, null = true, yes = true,
    no = true, on = true, off = true, y = true, n = true}

--- A text begins with a letter and has nothing that means something, or it is
-- quoted: JSON's quotes are YAML's, too.
local function text_of(text)
    local is_plain = text:match('^[%a_][%w_./ -]*$') and not text:match(' $')
        and not text:find(' -', 1, true) and not RESERVED[text:lower()]
    return is_plain and text or assert(ate.json.encode(text))
end

local function number_of(value)
    if value ~= value then
        return '.nan'
    elseif value == math.huge or value == -math.huge then
        return value > 0 and '.inf' or '-.inf'
    elseif value % 1 == 0 and math.abs(value) <= 2 ^ 53 then
        return ('%.0f'):format(value)
    end
    return ('%.17g'):format(value)
end

local function scalar_of(value)
    if value == nil or value == ate.null then
        return 'null'
    elseif type(value) == 'string' then
        return text_of(value)
    elseif type(value) == 'number' then
        return number_of(value)
    elseif type(value) == 'boolean' then
        return tostring(value)
    end
    local digits = tostring(value):match('^(-?%d+)U?LL$')
    return digits or text_of(tostring(value))
end

local function sorted_names(map)
    local names = {}
    for name in pairs(map) do
        names[#names + 1] = name
    end
    table.sort(names, function(a, b)
        return tostring(a) < tostring(b)
    end)
    return names
end

local write

--- What stands behind `name:` or `-`: on the same line, or on lines below.
local function write_item(lines, head, value, indent, depth)
    local is_open = type(value) == 'table' and getmetatable(value) == nil
        or ate.is_list(value)
    if is_open and next(value) ~= nil then
        local first = #lines + (head == '-' and 1 or 2)
        lines[first - 1] = head ~= '-' and indent .. head or lines[first - 1]
        write(lines, value, indent .. INDENT, depth + 1)
        if head == '-' then -- its first line stands behind the dash
            lines[first] = indent .. '- ' .. lines[first]:sub(#indent + 3)
        end
    elseif is_open then
        lines[#lines + 1] = ('%s%s %s'):format(indent, head,
            ate.is_list(value) and '[]' or '{}')
    else
        lines[#lines + 1] = ('%s%s %s'):format(indent, head, scalar_of(value))
    end
end

function write(lines, value, indent, depth)
    if depth > DEPTH then
        error('too deep', 0)
    end
    if ate.is_list(value) then
        for _, item in ipairs(value) do
            write_item(lines, '-', item, indent, depth)
        end
        return
    end
    for _, name in ipairs(sorted_names(value)) do
        write_item(lines, text_of(tostring(name)) .. ':', value[name], indent,
            depth)
    end
end

--- A value as YAML, with a line feed at its end.
-- @param value
-- @treturn[1] string
-- @treturn[2] nil when it is nested deeper than 64 times, or without end
function M.encode(value)
    local lines = {}
    local ok, raised = pcall(write_item, lines, '', value, '', 0)
    if not ok then
        assert(raised == 'too deep', raised)
        return nil
    end
    if lines[1] == '' then -- the value stands below
        table.remove(lines, 1)
        for i, line in ipairs(lines) do
            lines[i] = line:sub(#INDENT + 1)
        end
    else
        lines[1] = lines[1]:sub(2)
    end
    return table.concat(lines, '\n') .. '\n'
end

return M
