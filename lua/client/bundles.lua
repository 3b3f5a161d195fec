--- Schemas in files.
-- @module ate.client.bundles
local ate = require('ate')

local M = {}

--- Load a schema and all that it requires.
-- @tparam string path
-- @treturn[1] string bytes for chain.create
-- @treturn[1] table report {schema, warnings}
-- @treturn[2] nil
-- @treturn[2] table err
function M.load(path)
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
