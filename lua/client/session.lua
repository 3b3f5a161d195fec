--- A data folder in use: calls that wait for their answers.
--
-- One session has one port. `run` waits for one call; `start` and `pump` keep
-- many in flight. While `run` waits for the first answer of a chain, which has
-- to be opened for it, on_opening(chain, ms), if there is one, is told of it.
-- @module ate.client.session
local ate = require('ate')
local shape = require('ate.client.shape')

local M = {}
local Session = {}
Session.__index = Session

-- The engine lets 256 chunks come before it wants to hear from us.
local GRANT = 128
local LOOK_MS = 200

--- Open a data folder.
-- @tparam ?string path
-- @tparam table flags read_only, create, memory, folder
-- @treturn[1] table session
-- @treturn[2] nil
-- @treturn[2] table err
function M.open(path, flags)
    local node, err = ate.open(path, flags)
    if node == nil then
        return nil, err
    end
    return setmetatable({node = node, port = ate.port(), waiting = {},
        under_way = 0, opened = {}, path = path,
        read_only = flags.read_only}, Session)
end

--- Serve the folder to other processes until it is closed.
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] table err
function Session:listen()
    return self.node:listen()
end

--- Whether another process serves the folder.
function Session:is_remote()
    return self.node:is_remote()
end

--- Close the folder; twice is harmless.
function Session:close()
    if self.node ~= nil then
        self.node:close()
        self.node = nil
    end
end

--- Start a call.
-- @tparam string how `call` or `read`
-- @tparam table request chain, method, args, as
-- @tparam function done called with (value, err) at the end
-- @tparam[opt] function on_row called with each chunk of output
-- @treturn[1] number of the call
-- @treturn[2] nil
-- @treturn[2] table err when the arguments are no values
function Session:start(how, request, done, on_row)
    local call, err = self.node[how](self.node, self.port, request)
    if call == nil then
        return nil, err
    end
    self.waiting[call] = {done = done, on_row = on_row, taken = 0}
    self.under_way = self.under_way + 1
    return call
end

local function deliver(self, answer)
    local call = self.waiting[answer.call]
    if call == nil then
        return
    end
    if answer.final then
        self.waiting[answer.call] = nil
        self.under_way = self.under_way - 1
        call.done(answer.value, answer.error)
        return
    end
    call.taken = call.taken + 1
    if call.taken % GRANT == 0 then
        self.node:grant(answer.call, GRANT)
    end
    if call.on_row ~= nil then
        call.on_row(answer.value)
    end
end

--- Ask all that is under way to end.
function Session:cancel()
    for call in pairs(self.waiting) do
        self.node:cancel(call)
    end
end

--- Take an answer and hand it to its call.
-- @tparam number timeout_ms as of port:next()
-- @treturn boolean whether one came
function Session:pump(timeout_ms)
    local answer = self.port:next(timeout_ms)
    if answer ~= nil then
        deliver(self, answer)
        return true
    end
    if ate.host.interrupted() then
        self.interrupted = true
        self:cancel()
    end
    return false
end

--- Wait for the first answer of a chain.
function Session:wait_for_chain(chain, is_there)
    if chain == nil or self.on_opening == nil or self.opened[chain] then
        return
    end
    local start = ate.host.clock()
    while not is_there() do
        if not self:pump(LOOK_MS) then
            self.on_opening(chain, ate.host.clock() - start)
        end
    end
    self.opened[chain] = true
end

--- Make a call and wait for its end.
-- @return[1] value, ate.null when there is none
-- @treturn[2] nil
-- @treturn[2] table err
function Session:run(how, request, on_row)
    local value, err
    local ended = false
    local call, problem = self:start(how, request, function(v, e)
        value, err, ended = v, e, true
    end, on_row)
    if call == nil then
        return nil, problem
    end
    self:wait_for_chain(request.chain, function()
        return ended or self.waiting[call].taken > 0
    end)
    while not ended do
        self:pump(-1)
    end
    if err ~= nil then
        return nil, err
    end
    if value == nil then
        value = ate.null
    end
    return value
end

--- Who signs: a key's name, or {as, act_for, with, roots}; the table may have
-- deadline_ms and call_id, too.
local function request_of(chain, method, args, who)
    local sides = type(who) == 'table' and who or {as = who}
    return {chain = chain, method = method, args = args, as = sides.as,
        act_for = sides.act_for, with = sides.with, roots = sides.roots,
        propose = sides.propose, deadline_ms = sides.deadline_ms,
        call_id = sides.call_id}
end
M.request = request_of

--- Call a method of a chain, or of the node when `chain` is nil. Of one that
-- streams rows, such as account.list, they are the value.
-- @tparam ?string chain
-- @tparam string method
-- @tparam[opt] table args
-- @param who who signs: a key's name, or {as, act_for, with, roots, deadline_ms,
-- call_id}
function Session:call(chain, method, args, who)
    local rows = ate.list({})
    local value, err = self:run('call', request_of(chain, method, args, who),
        function(row)
            rows[#rows + 1] = row
        end)
    if value == ate.null and (#rows > 0 or self:streams(chain, method)) then
        return rows
    end
    return value, err
end

--- Whether a method is a default one that streams rows.
function Session:streams(chain, name)
    local schema = chain ~= nil and self:schema(chain)
    local method = schema and shape.find(schema, 'method', name, chain)
    return method and method.default == true
        and (name:match('%.list$') or name:match('%.history$')) ~= nil
end

--- Read; rows go to `on_row`, the end's value is returned.
function Session:read(chain, method, args, on_row, as)
    return self:run('read', {chain = chain, method = method, args = args,
        as = as}, on_row)
end

--- Read rows into a list, which stays one when it is empty.
function Session:rows(chain, method, args, as)
    local rows = ate.list({})
    local value, err = self:read(chain, method, args, function(row)
        rows[#rows + 1] = row
    end, as)
    if value == nil then
        return nil, err
    end
    return rows
end

--- The schema of a chain, kept for the session.
function Session:schema(chain)
    self.schemas = self.schemas or {}
    if self.schemas[chain] == nil then
        local schema, err = self:read(chain, 'schema')
        if schema == nil then
            return nil, err
        end
        self.schemas[chain] = schema
    end
    return self.schemas[chain]
end

return M
