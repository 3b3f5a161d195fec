--- Damage one byte of a file, in a way that doing it again repairs.
--
-- In a chain's folder the byte lies in the payload of the middle frame of the
-- first header file; docs/format.md has the layout.
-- @module ate.cli.flip
local ate = require('ate')

local M = {}

local FRAMES_START = 0x2000
local FRAME_SIZE = 96
local PAYLOAD_LEN_AT, INLINE_LEN_AT = 28, 32

local function u32(bytes, at)
    local a, b, c, d = bytes:byte(at + 1, at + 4)
    return a + b * 2 ^ 8 + c * 2 ^ 16 + d * 2 ^ 24
end

local function padded(len)
    return math.ceil(len / 8) * 8
end

--- Where the payloads of the frames begin, and how long they are.
local function payloads(file)
    local found = {}
    local at = FRAMES_START
    while true do
        file:seek('set', at)
        local head = file:read(FRAME_SIZE)
        if head == nil or #head < FRAME_SIZE or head:sub(1, 4) ~= 'ATEF' then
            return found
        end
        local len = u32(head, PAYLOAD_LEN_AT)
        found[#found + 1] = {at = at + FRAME_SIZE, len = len}
        at = at + FRAME_SIZE + padded(len) + padded(u32(head, INLINE_LEN_AT))
    end
end

local function first_header_file(folder)
    local best
    for _, name in ipairs(ate.host.names(folder) or {}) do
        local generation = tonumber(name:match('^(%d+)%.head$'))
        if generation ~= nil and (best == nil or generation < best) then
            best = generation
        end
    end
    if best == nil then
        return nil, ate.error('NOT_FOUND', ('flip-byte: %s is no chain\'s '
            .. 'folder, it has no .head file'):format(folder))
    end
    return ('%s/%d.head'):format(folder:gsub('(.)/+$', '%1'), best)
end

local function middle(file, is_header)
    local frames = is_header and payloads(file) or {}
    if #frames > 0 then
        local frame = frames[math.ceil((#frames + 1) / 2)]
        return frame.at + math.floor(frame.len / 2)
    end
    return math.floor(file:seek('end') / 2)
end

local function flip_at(file, path, offset)
    file:seek('set', offset)
    local byte = file:read(1)
    if byte == nil then
        return nil, ate.error('INVALID', ('flip-byte: %s ends before offset '
            .. '%d'):format(path, offset))
    end
    local before = byte:byte()
    local after = bit.bxor(before, 0xff)
    file:seek('set', offset)
    local ok, problem = file:write(string.char(after))
    if not ok or not file:flush() then
        return nil, ate.error('IO', ('flip-byte: %s: %s'):format(path,
            problem or 'not written'))
    end
    return {file = path, offset = offset, before = before, after = after}
end

--- Flip a byte.
-- @tparam string path a file or a chain's folder
-- @tparam[opt] integer offset
-- @treturn[1] table {file, offset, before, after}
-- @treturn[2] nil
-- @treturn[2] table err
function M.run(path, offset)
    local kind = ate.host.kind(path)
    if kind == nil then
        return nil, ate.error('NOT_FOUND', 'flip-byte: no file or folder '
            .. path)
    end
    local is_header = path:match('%.head$') ~= nil
    if kind == 'folder' then
        local file, err = first_header_file(path)
        if file == nil then
            return nil, err
        end
        path, is_header = file, true
    end
    local file, problem = io.open(path, 'r+b')
    if file == nil then
        return nil, ate.error('DENIED', 'flip-byte: ' .. problem)
    end
    local done, err = flip_at(file, path, offset or middle(file, is_header))
    file:close()
    return done, err
end

return M
