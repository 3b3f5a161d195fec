--- ate new DIR: a schema to start from.
local ate = require('ate')
local shell = require('ate.client.shell')

local FILES = {
    {asset = 'cli/templates/schema.lua', name = 'NAME.lua'},
    {asset = 'cli/templates/schema_test.lua', name = 'NAME_test.lua'},
    {asset = 'cli/templates/luarc.json', name = '.luarc.json'},
    {asset = 'cli/templates/luacheckrc', name = '.luacheckrc'},
    {asset = 'cli/templates/editorconfig', name = '.editorconfig'},
}

--- A name for Lua and for the chain, from the folder's.
local function schema_name(folder)
    local name = folder:gsub('/+$', ''):match('[^/]+$') or ''
    name = name:lower():gsub('[^a-z0-9_]', '_')
    if not name:match('^[a-z]') then
        return nil, ate.error('INVALID', ('new: the name of a schema begins '
            .. 'with a letter, that of %s does not'):format(folder))
    end
    return name
end

local function write_file(path, text)
    local file, problem = io.open(path, 'wb')
    if file == nil then
        return nil, ate.error('DENIED', 'new: ' .. problem)
    end
    local ok, write_problem = file:write(text)
    if not file:close() or not ok then
        return nil, ate.error('IO', ('new: %s: %s'):format(path,
            write_problem or 'not written'))
    end
    return true
end

--- Write the schema and load it: a name may be a word of Lua, or one that the
-- schema uses for something else. What was written then is taken away.
local function write_schema(path, name, text)
    local ok, err = write_file(path, text)
    if ok == nil then
        return nil, err
    end
    local bundle
    bundle, err = ate.bundle(path)
    if bundle == nil then
        os.remove(path)
        return nil, ate.error('INVALID', ('new: %s can not be the name of '
            .. 'this schema: %s'):format(name, err.text:match('[^\n]*')))
    end
    return true
end

--- Write all files of a new schema.
-- @treturn[1] true
-- @treturn[2] nil
-- @treturn[2] table err; then nothing is left
local function write_files(folder, paths, name)
    local is_new = ate.host.kind(folder) == nil
    local ok, problem = ate.host.make_folder(folder)
    if not ok then
        return nil, ate.error('DENIED', 'new: ' .. problem)
    end
    for i, file in ipairs(FILES) do
        local text = ate.asset(file.asset):gsub('%f[%w]bank%f[^%w]', name)
        local err
        if i == 1 then
            ok, err = write_schema(paths[i], name, text)
        else
            ok, err = write_file(paths[i], text)
        end
        if ok == nil then
            if is_new then
                os.remove(folder) -- does nothing unless it is empty
            end
            return nil, err
        end
    end
    return true
end

local function run(ctx)
    local folder = ctx.args.DIR:gsub('(.)/+$', '%1')
    local full = folder
    if folder:match('^%.+$') then
        full = ate.host.real_path(folder) or folder
    end
    local name, err = schema_name(full)
    if name == nil then
        return nil, err
    end
    local paths = {}
    for i, file in ipairs(FILES) do
        paths[i] = folder .. '/' .. file.name:gsub('NAME', name)
        if ate.host.kind(paths[i]) ~= nil then
            return nil, ate.error('CONFLICT', ('new: %s is there already; '
                .. 'nothing was written'):format(paths[i]))
        end
    end
    local ok
    ok, err = write_files(folder, paths, name)
    if ok == nil then
        return nil, err
    end
    if ctx.out.is_json then
        ctx.out:json({folder = folder, name = name, files = ate.list(paths)})
        return 0
    end
    for _, path in ipairs(paths) do
        ctx.out:line(path)
    end
    ctx.out:talk(('next: cd %s && ate test && ate chain create %s --schema '
        .. '%s.lua --accept accept-all,serializer,structured-logic')
        :format(shell.quoted(folder), name, name))
    return 0
end

return {
    name = 'new',
    doc = 'Make a schema to start from, its test and editor settings.',
    args = {{name = 'DIR', doc = 'The folder; its name is the schema\'s.'}},
    examples = {'ate new bank && cd bank && ate test'},
    run = run,
}
