--- Files that a user names and that are read as a whole.
--
-- A pipe or a device is refused, for it may never end or never begin; it goes
-- in as stdin, where a command takes `-`. What is read is bounded.
-- @module ate.client.files
local ate = require('ate')
local upload = require('ate.client.upload')

local M = {}

--- As many bytes as the arguments of a call may have.
M.MOST = 16 * 1024 * 1024

--- Of what is signed, as ate makes it: a frame of a log.
M.MOST_SIGNED = 64 * 1024 * 1024

--- Of what people write by hand, and of keys, checkpoints and headers.
M.MOST_SMALL = 1024 * 1024

local function read_all(fd, most)
    local text, err = upload.read(fd, most + 1)
    if text ~= nil and #text > most then
        return nil, ate.error('LIMIT', ('has more than the %d bytes that '
            .. 'are read of it'):format(most))
    end
    return text, err
end

local function open(path, takes_stdin)
    if takes_stdin and path == '-' then
        return 0
    end
    local fd, wrong, code = ate.host.open_file(path)
    if fd == nil and code == 'INVALID' and takes_stdin then
        wrong = wrong .. '; - reads stdin'
    end
    return fd, fd == nil and ate.error(code, wrong) or nil
end

--- Open a regular file, or stdin, which is `-`, for who reads it in pieces.
-- @tparam string what as M.read has it
-- @tparam string path
-- @treturn[1] integer descriptor
-- @treturn[2] nil
-- @treturn[2] table err NOT_FOUND, DENIED, INVALID
function M.open_or_stdin(what, path)
    local fd, err = open(path, true)
    if fd == nil then
        err.text = ('%s: %s: %s'):format(what, path, err.text)
    end
    return fd, err
end

local function read(path, most, takes_stdin)
    local fd, err = open(path, takes_stdin)
    if fd == nil then
        return nil, err
    end
    local text
    text, err = read_all(fd, most)
    if fd ~= 0 then
        ate.host.close(fd)
    end
    return text, err
end

local function said(what, path, text, err)
    if text == nil then
        err.text = ('%s: %s: %s'):format(what, path, err.text)
    end
    return text, err
end

--- Read a regular file.
-- @tparam string what is done with it, for errors: `configuration`
-- @tparam string path
-- @tparam[opt] integer most bytes; else M.MOST
-- @treturn[1] string
-- @treturn[2] nil
-- @treturn[2] table err NOT_FOUND, DENIED, INVALID (a folder, a pipe, a
-- device), LIMIT, IO
function M.read(what, path, most)
    return said(what, path, read(path, most or M.MOST, false))
end

--- Read a regular file, or stdin, which is `-`.
-- @tparam string what as M.read has it, and all else, too
-- @tparam string path
-- @tparam[opt] integer most
-- @treturn[1] string
-- @treturn[2] nil
-- @treturn[2] table err
function M.read_or_stdin(what, path, most)
    return said(what, path == '-' and 'stdin' or path,
        read(path, most or M.MOST, true))
end

--- Refuse a folder, a pipe or a device that others are about to read; whether
-- it is there they say themselves.
-- @tparam string what
-- @tparam ?string path
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] table err INVALID
function M.check(what, path)
    local kind = path ~= nil and ate.host.kind(path) or 'file'
    if kind == 'file' then
        return true
    end
    return nil, ate.error('INVALID', ('%s: %s: is %s'):format(what, path,
        kind == 'folder' and 'a folder' or 'no regular file'))
end

return M
