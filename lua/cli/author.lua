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

--- Write a file anew.
-- @tparam string what the command, for errors
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] table err
function M.write_file(what, path, text)
    local file, problem = io.open(path, 'wb')
    if file == nil then
        return nil, ate.error('DENIED', ('%s: %s'):format(what, problem))
    end
    local ok, write_problem = file:write(text)
    if not file:close() or not ok then
        return nil, ate.error('IO', ('%s: %s: %s'):format(what, path,
            write_problem or 'not written'))
    end
    return true
end

--- Write what an editor is told: of ate, of the sandbox, of a schema. The
-- folder is made; in it the schema is NAME_schema.lua, which no `require` means.
-- @tparam string what the command, for errors
-- @tparam string folder
-- @tparam table schema as the report of a bundle describes it
-- @treturn[1] table list of paths
-- @treturn[2] nil
-- @treturn[2] table err DENIED, IO
function M.write_stubs(what, folder, schema)
    local ok, err = ate.host.make_folder(folder .. '/ate')
    if not ok then
        return nil, ate.error('DENIED', ('%s: %s'):format(what, err))
    end
    local paths = {}
    for i, file in ipairs(FILES) do
        paths[i] = folder .. '/' .. file.name
        ok, err = M.write_file(what, paths[i], ate.asset(file.asset))
        if not ok then
            return nil, err
        end
    end
    paths[#paths + 1] = ('%s/%s_schema.lua'):format(folder, schema.main)
    ok, err = M.write_file(what, paths[#paths], stubs.text(schema))
    if not ok then
        return nil, err
    end
    return paths
end

return M
