--- A chain's log as a folder of files that any web server serves: C2SP
-- tlog-tiles.
--
--     checkpoint              the newest one, a signed note
--     tile/<level>/<n>        256 hashes
--     tile/<level>/<n>.p/<w>  the first w of them, while there are no more
--     tile/entries/<n>        256 leaves, each behind its length in two bytes
--
-- A tree only grows. What stands in the folder is compared with the chain by
-- its checkpoint before anything is written, and the checkpoint is replaced
-- last, when all that it promises is on the disk.
-- @module ate.cli.publish
local ate = require('ate')
local files = require('ate.client.files')
local new_writing = require('ate.cli.writing').new

local M = {}

local WIDTH = 256
local LEVELS = 8

--- 1234067 is x001/x234/067.
local function number_path(n)
    local path = ('%03d'):format(n % 1000)
    n = math.floor(n / 1000)
    while n > 0 do
        path = ('x%03d/%s'):format(n % 1000, path)
        n = math.floor(n / 1000)
    end
    return path
end
M.number_path = number_path

local function failed(what, problem)
    return nil, ate.error('IO', ('%s: %s'):format(what, tostring(problem)))
end

--- Write a file where none can be seen half. What was written before stays:
-- the next run finds it.
local function write_file(path, data)
    local writing = new_writing('publish')
    local ok, err = writing:folder(path:match('^(.*)/'))
    if ok then
        ok, err = writing:file(path, data)
    end
    if not ok then
        writing:undo()
    end
    return ok, err
end

--- What the folder has: the size of its tree, 0 when there is none.
local function size_there(session, name, folder)
    local text, err = files.read('publish', folder .. '/checkpoint',
        files.MOST_SMALL)
    if text == nil and err.code ~= 'NOT_FOUND' then
        return nil, err
    elseif text == nil then
        for _, found in ipairs(ate.host.names(folder) or {}) do
            if found ~= 'tile' then
                return nil, ate.error('CONFLICT', ('%s has no checkpoint, but '
                    .. '%s: a tree needs a folder of its own'):format(folder,
                    found))
            end
        end
        return 0
    end
    local found
    found, err = session:read(name, 'check', {checkpoint = text})
    if found == nil then
        err.text = ('%s/checkpoint: %s'):format(folder,
            (err.text:gsub('^check: ', '')))
        return nil, err
    end
    return found.size
end

--- Tiles of one level that a tree has, and how wide the one at its edge is.
local function tiles_of(size, level)
    local hashes = math.floor(size / WIDTH ^ level)
    return math.floor(hashes / WIDTH), hashes % WIDTH
end

--- Files to be written to get from one size to another: list of {dir, level,
-- n, width, stale}.
local function missing(from, to)
    local list = {}
    local function add(dir, level)
        local had, had_wide = tiles_of(from, level)
        local full, wide = tiles_of(to, level)
        for n = had, full - 1 do
            list[#list + 1] = {dir = dir, level = level, n = n, width = WIDTH,
                stale = n == had and had_wide > 0}
        end
        if wide > 0 and not (full == had and wide == had_wide) then
            list[#list + 1] = {dir = dir, level = level, n = full,
                width = wide}
        end
    end
    add('entries', 0)
    for level = 0, LEVELS - 1 do
        add(('%d'):format(level), level)
    end
    return list
end

--- Tiles that were not full are of no use once they are.
local function remove_partial(path)
    for _, name in ipairs(ate.host.names(path .. '.p') or {}) do
        os.remove(path .. '.p/' .. name)
    end
    os.remove(path .. '.p')
end

local function write_tile(session, name, folder, tile)
    local level = tile.dir == 'entries' and 'entries' or tile.level
    local found, err = session:read(name, 'tile',
        {level = level, index = tile.n, width = tile.width})
    if found == nil then
        return nil, err
    end
    local path = ('%s/tile/%s/%s'):format(folder, tile.dir,
        number_path(tile.n))
    local ok
    ok, err = write_file(tile.width == WIDTH and path
        or ('%s.p/%d'):format(path, tile.width), found.data)
    if ok and tile.stale then
        remove_partial(path)
    end
    return ok, err
end

--- Bring a folder up to a checkpoint.
-- @tparam table session
-- @tparam string name of the chain
-- @tparam string folder
-- @tparam table newest {checkpoint, size}, compared with the chain
-- @tparam function progress called with (done, total)
-- @treturn[1] integer files written
-- @treturn[2] nil
-- @treturn[2] table err
function M.run(session, name, folder, newest, progress)
    local from, err = size_there(session, name, folder)
    if from == nil then
        return nil, err
    end
    if from > newest.size then
        return nil, ate.error('CONFLICT', ('%s has %d transactions, the '
            .. 'checkpoint %d: a tree never gets smaller'):format(folder, from,
            newest.size))
    end
    local list = missing(from, newest.size)
    for i, tile in ipairs(list) do
        progress(i, #list)
        local ok
        ok, err = write_tile(session, name, folder, tile)
        if not ok then
            return nil, err
        end
    end
    local ok, problem = true, nil
    if #list > 0 then
        ok, problem = ate.host.sync(folder)
    end
    if not ok then
        return failed('publish', problem)
    end
    ok, err = write_file(folder .. '/checkpoint', newest.checkpoint)
    if not ok then
        return nil, err
    end
    return #list
end

return M
