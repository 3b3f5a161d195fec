--- A data folder in use: calls that wait for their answers.
--
-- One session has one port. `run` waits for one call; `start` and `pump` keep
-- many in flight. While `run` waits for the first answer of a chain, which has
-- to be opened for it, on_opening(chain, ms), if there is one, is told of it.
--
-- A task is a function that runs beside others: where it waits, they go on. It
-- is a coroutine that `spawn` started; what waits in any other coroutine, or in
-- none, has the tasks go on meanwhile, too.
-- @module ate.client.session
local ate = require('ate')
local raised_by = require('ate.client.raised')
local shape = require('ate.client.shape')

local M = {}
local Session = {}
Session.__index = Session

-- The engine lets 256 chunks come before it wants to hear from us.
local GRANT = 128
local LOOK_MS = 200

--- Open a data folder.
-- @tparam ?string path
-- @tparam table flags read_only, create, memory, folder, local; wait_ms, how
-- long another process is waited for: then CANCELED; else 5 s and UNAVAILABLE
-- @treturn[1] table session
-- @treturn[2] nil
-- @treturn[2] table err
function M.open(path, flags)
    local node, err = ate.node(path, flags)
    if node == nil then
        return nil, err
    end
    return setmetatable({node = node, port = ate.port(), waiting = {},
        under_way = 0, opened = {}, services = {}, tasks = {}, ready = {},
        path = path,
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

--- Answer what workers ask a service.
-- @tparam string name
-- @tparam function answer called with (request, asked), while something is
-- waited for: gives the answer, or nil and an error: a text, to ask again later,
-- or {code, text}. asked: {service, request, key, chain, worker}
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] table err
function Session:serve(name, answer)
    self.services[name] = answer
    return self.node:serve(self.port, name)
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
-- @tparam[opt] boolean holds more than the credit comes only after took(call)
-- @treturn[1] number of the call
-- @treturn[2] nil
-- @treturn[2] table err when the arguments are no values
function Session:start(how, request, done, on_row, holds)
    if self.node == nil then
        return nil, ate.error('CANCELED', 'the folder was closed')
    end
    local call, err = self.node[how](self.node, self.port, request)
    if call == nil then
        return nil, err
    end
    local grant = request.credit and math.ceil(request.credit / 2) or GRANT
    self.waiting[call] = {done = done, on_row = on_row, taken = 0,
        grant = grant, holds = holds}
    self.under_way = self.under_way + 1
    return call
end

--- A chunk of a call that holds was used.
-- @tparam number number of the call
function Session:took(number)
    local call = self.waiting[number]
    if call == nil then
        return
    end
    call.taken = call.taken + 1
    if call.taken % call.grant == 0 then
        self.node:grant(number, call.grant)
    end
end

--- A worker asks one of our services.
local function serve(self, answer)
    local asked = answer.value
    local ran, value, err = pcall(self.services[asked.service], asked.request,
        asked)
    if not ran then
        self.raised = self.raised or value
        value, err = nil, {code = 'INVALID', text = 'the service raised an '
            .. 'error: ' .. raised_by.text(value)}
    end
    if type(err) == 'string' then
        err = {code = 'UNAVAILABLE', text = err}
    end
    local ok, wrong = self.node:reply(answer.call, value, err)
    if not ok then
        self.node:reply(answer.call, nil, {code = 'INVALID',
            text = 'the service gave no value: ' .. tostring(wrong)})
    end
end

local function deliver(self, answer)
    if answer.asked then
        serve(self, answer)
        return
    end
    local call = self.waiting[answer.call]
    if call == nil then
        return
    end
    if call.task ~= nil then
        self.ready[#self.ready + 1] = call.task
    end
    if answer.final then
        self.waiting[answer.call] = nil
        self.under_way = self.under_way - 1
        call.done(answer.value, answer.error)
        return
    end
    call.came = true
    if not call.holds then
        self:took(answer.call)
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
        self.interrupted, self.untold = true, true
        self:cancel()
    end
    return false
end

--- A wait ended. A signal that came meanwhile is told by CANCELED; when that is
-- not how it ended, the signal interrupts the Lua that goes on.
-- @tparam[opt] table err what the wait ended with
-- @treturn boolean whether the error tells of a signal
function Session:tell(err)
    if not self.untold then
        return false
    end
    self.untold = false
    local is_told = err ~= nil and err.code == 'CANCELED'
    if not is_told then
        ate.host.pass_on()
    end
    return is_told
end

local function go_on(self, task)
    local ok, problem = coroutine.resume(task)
    if coroutine.status(task) ~= 'dead' then
        return
    end
    self.tasks[task] = nil
    if not ok and self.problem == nil then
        self.problem = {problem}
    end
end

--- Take an answer and let the tasks that it is for go on. What a task raised is
-- raised here.
-- @tparam number timeout_ms as of port:next()
-- @treturn boolean whether one came
function Session:step(timeout_ms)
    local came = self:pump(timeout_ms)
    while #self.ready > 0 do
        local tasks = self.ready
        self.ready = {}
        for _, task in ipairs(tasks) do
            if self.tasks[task] and coroutine.status(task) == 'suspended' then
                go_on(self, task)
            end
        end
    end
    local problem = self.problem
    self.problem = nil
    if problem ~= nil then
        error(problem[1], 0)
    end
    return came
end

--- Begin a task: it runs until it waits for the first time.
-- @tparam function run
-- @param ... its arguments
-- @treturn thread to be waited for
function Session:spawn(run, ...)
    local args, count = {...}, select('#', ...)
    local task = coroutine.create(function()
        return run(unpack(args, 1, count))
    end)
    self.tasks[task] = true
    go_on(self, task)
    return task
end

--- Wait for the end of a task, or of all.
-- @tparam[opt] thread task
function Session:join(task)
    local me = coroutine.running()
    if me ~= nil and self.tasks[me] then
        error('a task does not wait for tasks', 2)
    end
    local function is_over()
        if task ~= nil then
            return self.tasks[task] == nil
        end
        return next(self.tasks) == nil
    end
    repeat
        self:step(0) -- what one raised when it was begun is raised here
        if not is_over() and self.under_way == 0 then
            error('the tasks wait for nothing that could come', 2)
        end
        if not is_over() then
            self:step(-1)
        end
    until is_over()
end

--- Wait until something of a call is there.
-- @tparam number number of the call
-- @tparam function is_there
function Session:wait(number, is_there)
    local me = coroutine.running()
    local is_task = me ~= nil and self.tasks[me]
    while not is_there() do
        if is_task then
            self.waiting[number].task = me
            coroutine.yield()
        else
            self:step(-1)
        end
    end
end

--- Wait for the first answer of a chain.
function Session:wait_for_chain(chain, is_there)
    if chain == nil or self.on_opening == nil or self.opened[chain] then
        return
    end
    local start = ate.host.clock()
    self.opening = chain
    while not is_there() do
        if not self:pump(LOOK_MS) then
            self.on_opening(chain, ate.host.clock() - start)
        end
    end
    self.opened[chain] = true
    if not self.interrupted then
        self.opening = nil
    end
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
        return ended or self.waiting[call].came
    end)
    self:wait(call, function()
        return ended
    end)
    self:tell(err)
    if err ~= nil then
        return nil, err
    end
    if value == nil then
        value = ate.null
    end
    return value
end

--- Who signs: a key's name, or {as, act_for, with, roots}; the table may have
-- context, deadline_ms, call_id and credit, too.
local function request_of(chain, method, args, who)
    local sides = type(who) == 'table' and who or {as = who}
    return {chain = chain, method = method, args = args, as = sides.as,
        act_for = sides.act_for, with = sides.with, roots = sides.roots,
        propose = sides.propose, context = sides.context,
        deadline_ms = sides.deadline_ms, call_id = sides.call_id,
        credit = sides.credit}
end
M.request = request_of

--- Call a method of a chain, or of the node when `chain` is nil. Of one that
-- streams rows, such as account.list, they are the value.
-- @tparam ?string chain
-- @tparam string method
-- @tparam[opt] table args
-- @param who who signs: a key's name, or {as, act_for, with, roots, context,
-- deadline_ms, call_id}
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
    if chain == nil then
        return false
    end
    local schema, err = self:schema(chain)
    if err ~= nil and err.code == 'CANCELED' and self.interrupted then
        ate.host.pass_on() -- this error is shown to nobody
    end
    local method = schema and shape.find(schema, 'method', name, chain)
    return method and method.default == true
        and (name:match('%.list$') or name:match('%.history$')) ~= nil
end

--- Read; rows go to `on_row`, the end's value is returned.
-- @param who as of call()
function Session:read(chain, method, args, on_row, who)
    return self:run('read', request_of(chain, method, args, who), on_row)
end

--- Read rows into a list, which stays one when it is empty.
function Session:rows(chain, method, args, who)
    local rows = ate.list({})
    local value, err = self:read(chain, method, args, function(row)
        rows[#rows + 1] = row
    end, who)
    if value == nil then
        return nil, err
    end
    return rows
end

--- The schema of a chain, kept for the session.
-- @tparam string chain
-- @tparam[opt] number deadline_ms when it is not there yet
function Session:schema(chain, deadline_ms)
    self.schemas = self.schemas or {}
    if self.schemas[chain] == nil then
        local schema, err = self:read(chain, 'schema', nil, nil,
            {deadline_ms = deadline_ms})
        if schema == nil then
            return nil, err
        end
        self.schemas[chain] = schema
    end
    return self.schemas[chain]
end

return M
