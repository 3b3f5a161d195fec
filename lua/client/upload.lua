--- Large bodies: put first, then named by a call.
-- @module ate.client.upload
local ate = require('ate')

local M = {}

--- Bytes that a call carries itself; what has more is put first.
M.CALL_MAX = 65536

local PIECE = 1048576
local IN_FLIGHT = 4

--- Read from a file descriptor until there are so many bytes, or the end.
-- @tparam number fd
-- @tparam number most
-- @treturn[1] string
-- @treturn[2] nil
-- @treturn[2] table err CANCELED: Ctrl-C came while there was nothing to read
function M.read(fd, most)
    local parts, len = {}, 0
    while len < most do
        local ready, interrupted = ate.host.wait({fd}, -1)
        if interrupted and not ready[fd] then
            return nil, ate.error('CANCELED', 'interrupted')
        end
        local some, problem = ate.host.read(fd, most - len)
        if some == nil then
            return nil, ate.error('IO', problem)
        end
        if some == '' then
            break
        end
        parts[#parts + 1], len = some, len + #some
    end
    return table.concat(parts)
end

local function ask(session, chain, args)
    return session:run('call', {chain = chain, method = 'ate.put', args = args})
end

-- Read past what is there already.
local function skip(fd, bytes)
    while bytes > 0 do
        local some, err = M.read(fd, math.min(bytes, PIECE))
        if some == nil then
            return nil, err
        end
        if some == '' then
            return nil, ate.error('INVALID', 'the file is shorter than what '
                .. 'was put of it; put it under another id')
        end
        bytes = bytes - #some
    end
    return true
end

--- Put a body.
-- @tparam table session
-- @tparam string chain
-- @tparam table source fd; id, 16 bytes; first, what was read of it already;
-- hash, of the whole, when an upload is gone on with
-- @tparam function on_progress called with the bytes that are there
-- @treturn[1] table handle: hash, length
-- @treturn[2] nil
-- @treturn[2] table err
function M.put(session, chain, source, on_progress)
    local id = ate.bin(source.id)
    local at, err = ask(session, chain, {id = id})
    if at == nil then
        return nil, err
    end
    local offset = at.offset
    local piece = (source.first or ''):sub(offset + 1)
    local skipped, problem = skip(source.fd,
        math.max(0, offset - #(source.first or '')))
    if not skipped then
        return nil, problem
    end
    local failed
    local function send(data)
        local started, wrong = session:start('call', {chain = chain,
            method = 'ate.put', args = {id = id, offset = offset,
                data = ate.bin(data)}}, function(value, failure)
            failed = failed or failure
            if value ~= nil then
                on_progress(value.offset)
            end
        end)
        failed = failed or (started == nil and wrong or nil)
        offset = offset + #data
    end
    while failed == nil do
        local more, wrong = M.read(source.fd, PIECE - #piece)
        if more == nil then
            return nil, wrong
        end
        piece = piece .. more
        if piece == '' then
            break
        end
        send(piece)
        piece = ''
        while session.under_way >= IN_FLIGHT do
            session:pump(-1)
        end
    end
    while session.under_way > 0 do
        session:pump(-1)
    end
    session:tell(failed)
    if failed ~= nil then
        return nil, failed
    end
    return ask(session, chain, {id = id, ['end'] = true, hash = source.hash})
end

return M
