--- Files that are written for authors of schemas.
-- @module ate.cli.author
local ate = require('ate')
local stubs = require('ate.client.stubs')

local M = {}

-- What every schema has; that of one stands beside them.
local FILES = {
    {asset = 'author/ate.lua', name = 'ate.lua'},
    {asset = 'author/sandbox.lua', name = 'sandbox.lua'},
    {asset = 'author/test.lua', name = 'ate/test.lua'},
}

--- Write what an editor is told: of ate, of the sandbox, of a schema. The
-- folder is made; in it the schema is NAME_schema.lua, which no `require` means.
-- @tparam table writing as of ate.cli.writing; what it made is left to undo
-- @tparam string folder
-- @tparam table schema as the report of a bundle describes it
-- @treturn[1] table list of paths
-- @treturn[2] nil
-- @treturn[2] table err DENIED, FULL, IO
function M.write_stubs(writing, folder, schema)
    local ok, err = writing:folder(folder .. '/ate')
    if not ok then
        return nil, err
    end
    local paths = {}
    for i, file in ipairs(FILES) do
        paths[i] = folder .. '/' .. file.name
        ok, err = writing:file(paths[i], ate.asset(file.asset))
        if not ok then
            return nil, err
        end
    end
    paths[#paths + 1] = ('%s/%s_schema.lua'):format(folder, schema.main)
    ok, err = writing:file(paths[#paths], stubs.text(schema))
    if not ok then
        return nil, err
    end
    return paths
end

return M
