--- What Lua of others raised, as text: it may be anything, and do anything when
-- it is looked at.
-- @module ate.client.raised
local M = {}

local function field(value, name)
    local ok, found = pcall(function()
        return value[name]
    end)
    return ok and found or nil
end

--- Whether it is an error of the engine, or looks like one.
function M.is_error(raised)
    return type(raised) == 'table' and type(field(raised, 'code')) == 'string'
        and type(field(raised, 'text')) == 'string'
        and type(field(raised, 'exit')) == 'number'
end

--- The text of whatever was raised.
-- @param raised
-- @treturn string
function M.text(raised)
    local text = type(raised) == 'table' and field(raised, 'text') or nil
    if type(text) == 'string' then
        return text
    end
    local ok, shown = pcall(tostring, raised)
    if ok and type(shown) == 'string' then
        return shown
    end
    return ('an error that is a %s, and that can not be shown'):format(
        type(raised))
end

return M
