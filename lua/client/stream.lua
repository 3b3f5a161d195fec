--- Rows or changes as they come: `for row in stream do`.
--
-- What was not taken yet waits in the engine, but for what the credit lets
-- come: who is slow costs no more than that. A stream that is left before its
-- end is ended by close(), or when it is collected.
-- @module ate.client.stream
local M = {}
local Stream = {}
Stream.__index = Stream

--- Begin a read.
-- @tparam table session
-- @tparam table request as session:start() has it
-- @tparam function items_of a chunk -> list of items
-- @treturn[1] table stream
-- @treturn[2] nil
-- @treturn[2] table err
function M.open(session, request, items_of)
    -- What the session holds on to must not hold the stream.
    local pipe = {chunks = {}, first = 1, last = 0}
    local call, err = session:start('read', request, function(_, problem)
        pipe.ended, pipe.err = true, problem
    end, function(chunk)
        pipe.last = pipe.last + 1
        pipe.chunks[pipe.last] = chunk
    end, true)
    if call == nil then
        return nil, err
    end
    local guard = newproxy(true)
    getmetatable(guard).__gc = function()
        if not pipe.ended and session.node ~= nil then
            session.node:cancel(call)
        end
    end
    return setmetatable({session = session, call = call, pipe = pipe,
        items = {}, at_item = 1, items_of = items_of, guard = guard}, Stream)
end

local function next_chunk(self)
    local pipe = self.pipe
    if pipe.first > pipe.last then
        self.session:wait(self.call, function()
            return pipe.ended
                or pipe.first <= pipe.last and not self.session.untold
        end)
        if self.session:tell(pipe.err) then
            pipe.first = pipe.last + 1 -- who looks at no more rows hears of it
        end
    end
    if pipe.first > pipe.last then
        return nil
    end
    local chunk = pipe.chunks[pipe.first]
    pipe.chunks[pipe.first] = nil
    pipe.first = pipe.first + 1
    self.session:took(self.call)
    return chunk
end

--- The next item; nil at the end. `position` of the stream is then the last
-- one up to which all was taken. Raises the error that ended it.
function Stream:next()
    while self.items[self.at_item] == nil do
        local chunk = next_chunk(self)
        if chunk == nil then
            if self.pipe.err ~= nil and not self.closed then
                error(self.pipe.err, 0)
            end
            return nil
        end
        self.items, self.at_item = self.items_of(chunk), 1
    end
    local item = self.items[self.at_item]
    self.at_item = self.at_item + 1
    if type(item) == 'table' and item.at ~= nil then
        self.position = item.at
    end
    return item
end

Stream.__call = Stream.next

--- Pass over all that is here already.
function Stream:skip()
    local pipe = self.pipe
    self.items, self.at_item = {}, 1
    while pipe.first <= pipe.last do
        next_chunk(self)
    end
end

--- End it; twice is harmless.
function Stream:close()
    if self.closed then
        return
    end
    self.closed = true
    self.items, self.at_item = {}, 1
    local pipe = self.pipe
    pipe.chunks, pipe.first, pipe.last = {}, 1, 0
    if not pipe.ended and self.session.node ~= nil then
        self.session.node:cancel(self.call)
    end
end

return M
