--- Which data folder is meant where none is named.
-- @module ate.client.data
local ate = require('ate')

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

-- A folder that has one of these belongs to ate, whatever else is in it.
local OURS = {keys = 'data', names = 'data', ['ate.conf.lua'] = 'blank',
    ['config.lua'] = 'blank'}

-- What stands in a folder that may become one.
local HARMLESS = {lock = true, socket = true, rest = true,
    ['lost+found'] = true}

--- What a folder is: `data`, one that holds keys or chains; `foreign`, that of
-- something else; `blank`, what may become a data folder; nil: nobody can say.
-- @tparam string folder
function M.kind(folder)
    local names = ate.host.names(folder)
    if names == nil then
        return nil
    end
    local ours, foreign
    for _, name in ipairs(names) do
        if OURS[name] == 'data' or name:match('^%x%x$') then
            return 'data'
        end
        ours = ours or OURS[name]
        foreign = foreign or not HARMLESS[name]
    end
    return ours or (foreign and 'foreign' or 'blank')
end

--- Why a folder is taken for none.
function M.why_foreign(folder)
    return ('%s is no data folder: it has neither keys nor names, but '
        .. 'something else'):format(folder)
end

return M
