--- Whether two values are equal, and how they differ.
-- @module ate.test.compare
local ate = require('ate')

local M = {}

local function is_nothing(value)
    return value == nil or value == ate.null
end

--- Rows carry `_` and `id`, which a test rarely writes: a key that the
-- expected map lacks is ignored when it is one of them.
local IGNORED = {_ = true, id = true}

local function sorted_keys(a, b)
    local seen, keys = {}, {}
    for _, map in ipairs({a, b}) do
        for key in pairs(map) do
            if not seen[key] then
                seen[key] = true
                keys[#keys + 1] = key
            end
        end
    end
    table.sort(keys, function(x, y)
        local kind, other = type(x), type(y)
        if kind ~= other then
            return kind == 'number' or other ~= 'number' and kind < other
        elseif kind == 'number' or kind == 'string' then
            return x < y
        end
        return tostring(x) < tostring(y)
    end)
    return keys
end

--- Where two values differ first.
-- @param got
-- @param expected
-- @tparam[opt] string path
-- @treturn[1] nil when they are equal
-- @treturn[2] string path such as `[1].amount`, '' for the whole
-- @return[2] got there
-- @return[2] expected there
function M.difference(got, expected, path)
    path = path or ''
    if is_nothing(got) and is_nothing(expected) then
        return nil
    end
    if type(got) ~= 'table' or type(expected) ~= 'table' then
        if got == expected then
            return nil
        end
        return path, got, expected
    end
    for _, key in ipairs(sorted_keys(got, expected)) do
        if not (IGNORED[key] and expected[key] == nil) then
            local below = type(key) == 'number' and ('%s[%d]'):format(path, key)
                or path .. '.' .. tostring(key)
            local where, a, b = M.difference(got[key], expected[key], below)
            if where ~= nil then
                return where, a, b
            end
        end
    end
    return nil
end

local function key_text(key)
    if type(key) == 'string' and key:match('^[%a_][%w_]*$') then
        return key
    end
    return ("['%s']"):format(tostring(key))
end

-- `above`: the tables that it stands in.
local function show(value, above)
    if is_nothing(value) then
        return 'nil'
    end
    if type(value) == 'string' then
        return ("'%s'"):format(ate.text.printable(value):gsub("'", "\\'"))
    end
    if type(value) ~= 'table' then
        return tostring(value)
    end
    if above[value] then
        return '{...}' -- it stands in itself
    end
    above[value] = true
    local parts = {}
    for _, key in ipairs(sorted_keys(value, {})) do
        if key ~= '_' then
            local text = show(value[key], above)
            parts[#parts + 1] = type(key) == 'number' and text
                or key_text(key) .. ' = ' .. text
        end
    end
    above[value] = nil
    return '{' .. table.concat(parts, ', ') .. '}'
end

--- A value as Lua writes it, on one line.
-- @param value
-- @treturn string
function M.show(value)
    return show(value, {})
end

return M
