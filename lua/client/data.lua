--- Which data folder is meant where none is named.
-- @module ate.client.data
local M = {}

local function is_set(value)
    return value ~= nil and value ~= ''
end

--- The folder: the one that is given, $ATE_DATA, or where the system keeps such
-- things.
-- @tparam ?string given
-- @treturn string
function M.folder(given)
    if is_set(given) then
        return given
    end
    if is_set(M.default) then
        return M.default -- `ate run --data` says so
    end
    if is_set(os.getenv('ATE_DATA')) then
        return os.getenv('ATE_DATA')
    end
    if is_set(os.getenv('XDG_DATA_HOME')) then
        return os.getenv('XDG_DATA_HOME') .. '/ate'
    end
    return (os.getenv('HOME') or '.') .. '/.local/share/ate'
end

return M
