--- Bodies from files and into files: --body.
-- @module ate.cli.body
local ate = require('ate')
local files = require('ate.client.files')
local problem = require('ate.client.problem')
local upload = require('ate.client.upload')

local M = {}

local function invalid(text, ...)
    return nil, ate.error('INVALID', text:format(...))
end

--- The argument that a body goes into: the one of `content`, `body`, or the only
-- one that is a blob.
local function argument(method)
    local args = method.args or {}
    local wanted = method.content or 'body'
    local only
    for _, field in ipairs(args) do
        if field.name == wanted then
            return field
        end
        if field.kind == 'blob' then
            only = only == nil and field or false
        end
    end
    if only then
        return only
    end
    return invalid('%s: has no argument body, and not one that is a blob',
        method.name)
end

local function open(path)
    return files.open_or_stdin('call: --body', path)
end

local function id_of(text)
    if text == nil then
        local random = assert(io.open('/dev/urandom', 'rb'))
        local id = random:read(16)
        random:close()
        return id
    end
    if #text ~= 32 or text:find('%X') then
        return invalid('call: --upload-id is 32 hexadecimal digits')
    end
    return (text:gsub('%x%x', function(digits)
        return string.char(tonumber(digits, 16))
    end))
end

local function hex(bytes)
    return (bytes:gsub('.', function(byte)
        return ('%02x'):format(byte:byte())
    end))
end

-- Who goes on with an upload has to know what it comes to.
local function hash_of(ctx, path)
    if ctx.options['upload-id'] == nil then
        return nil
    end
    if path == '-' then
        return invalid('call: --upload-id needs a file: stdin cannot be read '
            .. 'twice')
    end
    local fd, err = open(path)
    if fd == nil then
        return nil, err
    end
    ctx.out:show_progress('reading ' .. path)
    local hash, wrong = ate.body_hash(fd) -- or the length behind it
    ate.host.close(fd)
    ctx.out:clear_progress()
    if hash == nil then
        return nil, wrong
    end
    return hash
end

-- What the schema takes is known before any of it is put; how long a pipe is, is
-- not, but it has more than a call carries.
local function check_length(method, field, source, path)
    local length = path ~= '-' and ate.host.size(source.fd) or 0
    local at_least = math.max(length, #source.first)
    if field.max == nil or at_least <= field.max then
        return true
    end
    return invalid('%s: %s: %s has %s%.0f bytes, at most %.0f are allowed',
        method.name, field.name, path == '-' and 'stdin' or path,
        length == 0 and 'at least ' or '', at_least, field.max)
end

local function put_large(ctx, session, source, path)
    local chain = ctx.args.NAME
    local total = ate.host.size(source.fd)
    local handle, err = upload.put(session, chain, source, function(done)
        ctx.out:progress('put ' .. path, done, total)
    end)
    ctx.out:clear_progress()
    if handle ~= nil then
        return handle
    end
    err = problem.say(err, chain)
    if path ~= '-' and err.code ~= 'INVALID' and err.code ~= 'LIMIT' then
        err.text = ('%s; what was put is kept for an hour: go on with '
            .. '--upload-id %s'):format(err.text, hex(source.id))
    end
    return nil, err
end

--- Add the body to the arguments of a call; a large one is put first.
-- @tparam table ctx with --body and perhaps --upload-id
-- @tparam table session
-- @tparam table method as the schema has it
-- @tparam table args
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] table err
function M.add(ctx, session, method, args)
    local path = ctx.options.body
    local field, err = argument(method)
    if field == nil then
        return nil, err
    end
    if args[field.name] ~= nil then
        return invalid('call: %s is given twice, by --body, too', field.name)
    end
    local source = {}
    source.id, err = id_of(ctx.options['upload-id'])
    if source.id == nil then
        return nil, err
    end
    source.fd, err = open(path)
    if source.fd == nil then
        return nil, err
    end
    source.first, err = upload.read(source.fd, upload.CALL_MAX + 1)
    if source.first == nil then
        return nil, ate.error(err.code, ('call: --body %s: %s'):format(path,
            err.text))
    end
    if #source.first <= upload.CALL_MAX then
        args[field.name] = field.kind == 'blob' and ate.bin(source.first)
            or source.first
        return true
    end
    if field.kind ~= 'blob' then
        return invalid('%s: %s is text, of at most %d bytes', method.name,
            field.name, upload.CALL_MAX)
    end
    local fits, too_long = check_length(method, field, source, path)
    if not fits then
        return nil, too_long
    end
    source.hash, err = hash_of(ctx, path)
    if err ~= nil then
        return nil, err
    end
    args[field.name], err = put_large(ctx, session, source, path)
    return args[field.name] ~= nil or nil, err
end

-- FROM:COUNT, FROM: or :COUNT
local function add_range(text, args)
    if text == nil then
        return true
    end
    local from, count = text:match('^(%d*):(%d*)$')
    if from == nil then
        return invalid('get: --range is FROM:COUNT, in bytes')
    end
    args.offset, args.length = tonumber(from), tonumber(count)
    return true
end

-- Into an open file; what could not be written ends the reading.
local function copy(ctx, session, what, out)
    local done, wrong = 0, nil
    local ok, err = session:read(ctx.args.NAME, 'body', what, function(bytes)
        if wrong ~= nil then
            return
        end
        local written, problem_ = out:write(bytes)
        if not written then
            wrong = problem_
            session:cancel()
            return
        end
        done = done + #bytes
        ctx.out:show_progress(('%s: %d bytes'):format(ctx.options.body, done))
    end)
    ctx.out:clear_progress()
    if wrong == nil then
        local flushed, problem_ = out:flush()
        wrong = not flushed and problem_ or nil
    end
    if wrong ~= nil then
        return nil, ate.error('IO', ('writing %s: %s'):format(
            ctx.options.body, wrong))
    end
    if ok == nil then
        return nil, problem.say(err, ctx.args.NAME)
    end
    return 0
end

--- Write a body into a file; an old one stays as it was unless all came.
-- @tparam table ctx with --body and perhaps --range
-- @tparam table session
-- @tparam table what type, key
-- @treturn[1] number exit code
-- @treturn[2] nil
-- @treturn[2] table err
function M.save(ctx, session, what)
    local path = ctx.options.body
    local ok, err = add_range(ctx.options.range, what)
    if not ok then
        return nil, err
    end
    if path == '-' then
        return copy(ctx, session, what, io.stdout)
    end
    ok, err = files.check('get: --body', path)
    if not ok then
        err.text = err.text .. '; - writes to stdout'
        return nil, err
    end
    local new = path .. '.part'
    local out, wrong = io.open(new, 'wb')
    if out == nil then
        return nil, ate.error('IO', wrong)
    end
    ok, err = copy(ctx, session, what, out)
    out:close()
    if ok then
        ok, wrong = os.rename(new, path)
        err = not ok and ate.error('IO', wrong) or nil
    end
    if not ok then
        os.remove(new)
        return nil, err
    end
    return 0
end

return M
