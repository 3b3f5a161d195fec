--- ate schema source: the Lua that a chain keeps, as it was published.
--
-- What a file is called stands in the chain, so whoever published it chose it:
-- only names that `ate check` would have given become paths.
-- @module ate.cli.source
local ate = require('ate')
local grid = require('ate.client.grid')
local new_writing = require('ate.cli.writing').new
local problem = require('ate.client.problem')
local rows = require('ate.client.rows')

local M = {}

local COLUMNS = {
    {name = 'name', title = 'module'}, {name = 'file'},
    {name = 'bytes', right = true}, {name = 'sha256'},
    {name = 'note', title = '', get = function(module)
        return module.note
    end},
}

local function invalid(text, ...)
    return nil, ate.error('INVALID', text:format(...))
end

--- What the words ask for.
-- @treturn[1] string name of the chain, '' for the one of --path
-- @treturn[1] ?string module
-- @treturn[2] nil
-- @treturn[2] table err
local function asked(ctx)
    local name, module = ctx.args.NAME, ctx.args.MODULE
    if ctx.options.path ~= nil then
        if module ~= nil then
            return invalid('schema source --path DIR takes no NAME, only a '
                .. 'MODULE; one too many is %q', module)
        end
        name, module = '', name
    elseif name == nil then
        return invalid('schema source takes a NAME, or --path DIR for a '
            .. 'chain\'s folder that stands anywhere')
    end
    if module ~= nil and ctx.options.all ~= nil then
        return invalid('schema source --all writes every module; leave %q out',
            module)
    end
    return name, module
end

--- Lua of a stranger is not let loose on a terminal; elsewhere it goes byte for
-- byte.
local function print_text(ctx, text)
    if ate.host.is_terminal(1) then
        text = ate.text.printable(text, '\t\n')
    end
    ctx.out:write(text)
end

local function print_modules(ctx, found)
    ctx.out:write(grid.facts({
        {'schema', ('%s %d, %s'):format(ate.text.printable(found.schema),
            found.version, found.in_force and 'in force' or 'not in force')},
        {'bundle', found.bundle},
    }, ctx.out:bolder()))
    local writer = rows.writer(ctx.out, COLUMNS)
    for _, module in ipairs(found.modules) do
        module.note = module.standard and 'standard'
            or module.name == found.main and 'main' or ''
        writer.row(module)
    end
    writer.close()
end

--- Words of letters, digits, `_` and `-`, joined by slashes, and `.lua`.
local function is_path(file)
    local front = file:match('^(.+)%.lua$')
    return front ~= nil and front:find('^[%w_/-]+$') ~= nil
        and not ('/' .. front .. '/'):find('//', 1, true)
end

--- Where each module goes: none leaves the folder, none stands on another.
local function check_files(modules)
    local seen = {}
    for _, module in ipairs(modules) do
        local file = module.file
        if not is_path(file) then
            return invalid('schema source: module %s says that its file is '
                .. 'called %q, which --all does not write; print it by its '
                .. 'name', module.name, file)
        elseif seen[file] ~= nil then
            return invalid('schema source: modules %s and %s have one file, '
                .. '%s; print them by their names', seen[file], module.name,
                file)
        end
        seen[file] = module.name
    end
    return true
end

local function check_folder(path)
    local kind = ate.host.kind(path)
    if kind ~= nil and kind ~= 'folder' then
        return invalid('schema source: %s is not a folder', path)
    end
    if kind ~= nil and #(ate.host.names(path) or {''}) > 0 then
        return nil, ate.error('CONFLICT', ('schema source: %s is not empty; '
            .. 'name a new folder, for nothing is written over'):format(path))
    end
    return true
end

local function write_module(writing, path, text)
    local ok, err = writing:folder(path:match('^(.*)/'))
    if ok then
        ok, err = writing:file(path, text)
    end
    return ok, err
end

--- The text of a module, of that bundle.
local function text_of(read, found, module)
    local one, err = read(module.name, found.version)
    if one ~= nil and one.bundle ~= found.bundle then
        return nil, ate.error('STALE', 'schema source: another schema came '
            .. 'meanwhile; say it again')
    end
    return one and one.source, err
end

--- All of one version, whatever comes into force meanwhile.
-- @treturn[1] table paths of the files
-- @treturn[2] nil
-- @treturn[2] table err; nothing is left of them
local function write_modules(read, found, folder)
    local writing = new_writing('schema source')
    local paths = ate.list({})
    for i, module in ipairs(found.modules) do
        paths[i] = folder .. '/' .. module.file
        local ok
        local text, err = text_of(read, found, module)
        if text ~= nil then
            ok, err = write_module(writing, paths[i], text)
        end
        if not ok then
            writing:undo()
            return nil, err
        end
    end
    return paths
end

local function print_written(ctx, found, paths)
    if ctx.out.is_json then
        ctx.out:json({schema = found.schema, version = found.version,
            bundle = found.bundle, in_force = found.in_force, files = paths})
        return
    end
    for _, path in ipairs(paths) do
        ctx.out:line(path)
    end
end

local function write_all(ctx, read, found)
    local folder = ctx.options.all:gsub('(.)/+$', '%1')
    local ok, err = check_folder(folder)
    if ok then
        ok, err = check_files(found.modules)
    end
    local paths
    if ok then
        paths, err = write_modules(read, found, folder)
    end
    if paths == nil then
        return nil, err
    end
    print_written(ctx, found, paths)
    return 0
end

local function print_found(ctx, found)
    if ctx.out.is_json then
        ctx.out:json(found)
    elseif found.source ~= nil then
        print_text(ctx, found.source)
    else
        print_modules(ctx, found)
    end
end

--- Run the command.
-- @treturn[1] integer exit code
-- @treturn[2] nil
-- @treturn[2] table err
function M.run(ctx)
    local name, module = asked(ctx)
    if name == nil then
        return nil, module
    end
    local session, err = ctx:open_chain(name, ctx.options.path)
    if session == nil then
        return nil, err
    end
    local function read(one, version)
        return session:read(name, 'source', {module = one, version = version})
    end
    local found
    found, err = read(module, ctx.options.version)
    if found == nil then
        return nil, ctx.options.path ~= nil
            and ctx:in_folder(err, ctx.options.path)
            or problem.say(err, name)
    elseif ctx.options.all ~= nil then
        return write_all(ctx, read, found)
    end
    print_found(ctx, found)
    return 0
end

return M
