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
        if type(x) == type(y) then
            return x < y
        end
        return type(x) == 'number'
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

--- A value as Lua writes it, on one line.
-- @param value
-- @treturn string
function M.show(value)
    if is_nothing(value) then
        return 'nil'
    end
    if type(value) == 'string' then
        return ("'%s'"):format(ate.text.printable(value):gsub("'", "\\'"))
    end
    if type(value) ~= 'table' then
        return tostring(value)
    end
    local parts = {}
    for _, key in ipairs(sorted_keys(value, {})) do
        if key ~= '_' then
            local text = M.show(value[key])
            if type(key) == 'number' then
                parts[#parts + 1] = text
            elseif key:match('^[%a_][%w_]*$') then
                parts[#parts + 1] = key .. ' = ' .. text
            else
                parts[#parts + 1] = ("['%s'] = %s"):format(key, text)
            end
        end
    end
    return '{' .. table.concat(parts, ', ') .. '}'
end

return M
