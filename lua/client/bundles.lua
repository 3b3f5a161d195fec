--- Schemas in files, and those that come with ate.
-- @module ate.client.bundles
local ate = require('ate')
local suggest = require('ate.client.suggest')

local M = {}

--- Whether a path names a schema that comes with ate: `ate:ledger`.
function M.is_standard(path)
    return path:sub(1, 4) == 'ate:'
end

--- The names of those that come with ate.
-- @treturn table list such as {'ate:key_value', 'ate:ledger'}
function M.standard()
    local names = {}
    for _, path in ipairs(ate.assets('schemas/')) do
        local name = path:match('^schemas/(.*)%.lua$')
        if not name:match('_test$') then
            names[#names + 1] = 'ate:' .. name
        end
    end
    return names
end

--- The source of one, or of its tests.
-- @tparam string name `ate:ledger`
-- @tparam[opt] string ending `_test`
-- @treturn[1] string
-- @treturn[2] nil
-- @treturn[2] table err NOT_FOUND
function M.source(name, ending)
    local text = ate.asset(('schemas/%s%s.lua'):format(name:sub(5),
        ending or ''))
    if text == nil then
        return nil, ate.error('NOT_FOUND', ('there is no standard schema '
            .. '%s%s'):format(name, suggest.hint_or_list(name, M.standard())))
    end
    return text
end

--- Load a schema and all that it requires.
-- @tparam string path of a file, or `ate:ledger`
-- @treturn[1] string bytes for chain.create
-- @treturn[1] table report {schema, warnings}
-- @treturn[2] nil
-- @treturn[2] table err
function M.load(path)
    if M.is_standard(path) then
        return ate.bundle(path)
    end
    local kind = ate.host.kind(path)
    if kind == nil then
        return nil, ate.error('NOT_FOUND', ('no file %s; ate new DIR makes a '
            .. 'schema to start from'):format(path))
    end
    if kind == 'folder' then
        return nil, ate.error('INVALID', ('%s is a folder, not a schema')
            :format(path))
    end
    return ate.bundle(path)
end

return M
