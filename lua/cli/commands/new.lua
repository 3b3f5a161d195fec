--- ate new DIR: a schema to start from.
local ate = require('ate')
local author = require('ate.cli.author')
local bundles = require('ate.client.bundles')
local shell = require('ate.client.shell')
local suggest = require('ate.client.suggest')
local new_writing = require('ate.cli.writing').new

-- Names of files and of the assets they are; the first is the schema, whose
-- name stands in it and in its test.
local FILES = {
    {asset = 'cli/templates/schema.lua', name = 'NAME.lua'},
    {asset = 'cli/templates/schema_test.lua', name = 'NAME_test.lua'},
    {asset = 'author/luarc.json', name = '.luarc.json'},
    {asset = 'author/luacheckrc', name = '.luacheckrc'},
    {asset = 'cli/templates/editorconfig', name = '.editorconfig'},
}

--- The text of a file.
-- @tparam string old what the schema is called in the template
local function renamed(text, old, name)
    return (text:gsub(("'ate:%s'"):format(old), ("'%s.lua'"):format(name))
        :gsub('%f[%w_]' .. old .. '%f[^%w_]', name))
end

--- What the template calls something else can not be the schema's name, too.
local function check_name(name, text)
    for taken in text:gmatch('\nlocal ([%w_]+) =') do
        if taken == name then
            return nil, ate.error('INVALID', ('new: %s can not be the name of '
                .. 'this schema: its Lua calls %s so; name another folder')
                :format(name, name == 'ate' and 'the module ate'
                    or 'something else'))
        end
    end
    return true
end

--- What is written, and where.
-- @tparam string folder
-- @tparam string name of the schema
-- @tparam ?string from a standard schema to begin with, else the bank
-- @treturn[1] table list of {path, text}
-- @treturn[2] nil
-- @treturn[2] table err
local function files_of(folder, name, from)
    local files = {}
    for i, file in ipairs(FILES) do
        files[i] = {path = folder .. '/' .. file.name:gsub('NAME', name),
            text = ate.asset(file.asset)}
    end
    for i, ending in ipairs(from ~= nil and {'', '_test'} or {}) do
        local text, err = bundles.source(from, ending)
        if text == nil then
            return nil, err
        end
        files[i].text = text
    end
    local old = from and from:sub(5) or 'bank'
    local ok, err = check_name(name ~= old and name or '', files[1].text)
    if not ok then
        return nil, err
    end
    for i = 1, 2 do
        files[i].text = renamed(files[i].text, old, name)
    end
    return files
end

local CHARACTER = '[^\128-\191][\128-\191]*' -- of UTF-8

--- A name for Lua and for the chain, from the folder's.
-- @treturn[1] string
-- @treturn[1] boolean whether it is another one than people would expect
-- @treturn[2] nil
-- @treturn[2] table err
local function schema_name(folder)
    local own = folder:gsub('/+$', ''):match('[^/]+$') or ''
    local name = own:lower():gsub(CHARACTER, function(character)
        return not character:match('^[a-z0-9_]$') and '_' or nil
    end)
    if not name:match('^[a-z]') then
        return nil, ate.error('INVALID', ('new: the name of a schema begins '
            .. 'with a letter a to z, that of %s does not'):format(folder))
    end
    return name, own:find('[\128-\255]') ~= nil
end

--- Write the schema and load it: a name may be a word of Lua, or one that the
-- schema uses for something else.
-- @treturn[1] table report of the bundle
-- @treturn[2] nil
-- @treturn[2] table err
local function write_schema(writing, path, name, text)
    local ok, err = writing:file(path, text)
    if ok == nil then
        return nil, err
    end
    local bundle, report = ate.bundle(path)
    if bundle == nil then
        return nil, ate.error('INVALID', ('new: %s can not be the name of '
            .. 'this schema: %s'):format(name, report.text:match('[^\n]*')))
    end
    return report
end

--- Write all files of a new schema, and what the editor is told of it.
-- @treturn[1] table list of files, the folder of stubs last
-- @treturn[2] nil
-- @treturn[2] table err
local function write_files(writing, folder, files, name)
    local ok, err = writing:folder(folder)
    if not ok then
        return nil, err
    end
    local report
    report, err = write_schema(writing, files[1].path, name, files[1].text)
    if report == nil then
        return nil, err
    end
    local written = {files[1].path}
    for i = 2, #files do
        ok, err = writing:file(files[i].path, files[i].text)
        if ok == nil then
            return nil, err
        end
        written[i] = files[i].path
    end
    local stubs = folder .. '/.ate'
    ok, err = author.write_stubs(writing, stubs, report.schema)
    if ok == nil then
        return nil, err
    end
    written[#written + 1] = stubs
    return written
end

local function run(ctx)
    local folder = ctx.args.DIR:gsub('(.)/+$', '%1')
    local full = folder
    if folder:match('^%.+$') then
        full = ate.host.real_path(folder) or folder
    end
    local name, is_other = schema_name(full)
    if name == nil then
        return nil, is_other
    end
    local from = ctx.options.from
    if from ~= nil and not bundles.is_standard(from) then
        return nil, ate.error('INVALID', ('new: --from takes a standard '
            .. 'schema, not %q%s'):format(from,
            suggest.hint_or_list(from, bundles.standard())))
    end
    local files, err = files_of(folder, name, from)
    if files == nil then
        return nil, err
    end
    for _, file in ipairs(files) do
        if ate.host.kind(file.path) ~= nil then
            return nil, ate.error('CONFLICT', ('new: %s is there already; '
                .. 'nothing was written'):format(file.path))
        end
    end
    local writing = new_writing('new')
    local paths
    paths, err = write_files(writing, folder, files, name)
    if paths == nil then
        writing:undo()
        return nil, err
    end
    if ctx.out.is_json then
        ctx.out:json({folder = folder, name = name, files = ate.list(paths)})
        return 0
    end
    for _, path in ipairs(paths) do
        ctx.out:line(path)
    end
    if is_other then
        ctx.out:talk(('the schema is called %s: a name has a to z, 0 to 9 '
            .. 'and _'):format(name))
    end
    -- The bank is one of strangers: its rules are all that it needs.
    local accept = from ~= nil and '' or
        ' --accept accept-all,serializer,structured-logic'
    ctx.out:talk(('next: cd %s && ate test && ate chain create %s --schema '
        .. '%s.lua%s'):format(shell.quoted(folder), name, name, accept))
    return 0
end

return {
    name = 'new',
    doc = 'Make a schema to start from, its test and editor settings.',
    args = {{name = 'DIR', doc = 'The folder; its name is the schema\'s.'}},
    options = {{name = 'from', value = 'SCHEMA', doc = 'Begin with one that '
        .. 'comes with ate, such as ate:ledger, to change it.'}},
    examples = {'ate new bank && cd bank && ate test',
        'ate new books --from ate:ledger'},
    run = run,
}
