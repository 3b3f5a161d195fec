--- Many calls from a stream, hundreds in flight, so that one sync of the disk
-- serves many of them.
--
-- Results are printed in the order of the lines. After a failure nothing more
-- is sent (unless --keep-going), but what is in flight is waited for, and
-- stays when it is accepted: the report says which lines that were.
-- @module ate.cli.bulk
local ate = require('ate')
local problem = require('ate.client.problem')
local signing = require('ate.cli.signing')

local M = {}

local IN_FLIGHT_MAX = 512
local LINE_MAX = 16 * 1024 * 1024

local Bulk = {}
Bulk.__index = Bulk

local function invalid(text, ...)
    return ate.error('INVALID', text:format(...))
end

local REQUEST_KEYS = {method = true, args = true, as = true, call_id = true,
    context = true}

--- A line that has only these keys, and `args` or `method`, is a request.
local function is_request(object)
    for key in pairs(object) do
        if not REQUEST_KEYS[key] then
            return false
        end
    end
    return type(object.args) == 'table' and not ate.is_list(object.args)
        or type(object.method) == 'string'
end

--- The 16 bytes of an id, from its digits; a UUID has them, too.
local function call_id_of(text)
    local digits = type(text) == 'string' and text:gsub('%-', '') or ''
    if #digits ~= 32 or digits:find('%X') then
        return nil, invalid('call_id is 32 digits of hex, such as a UUID')
    end
    return (digits:gsub('%x%x', function(byte)
        return string.char(tonumber(byte, 16))
    end))
end

--- nil, or what is wrong with the key that a line names.
local function check_as(as)
    if as == '' then
        return invalid('as is empty; leave it out to sign as --as says, else '
            .. "as 'me'")
    end
    if as ~= nil and type(as) ~= 'string' then
        return invalid('as is a text, the name of a key')
    end
    return nil
end

--- What one line asks for.
-- @tparam string text
-- @tparam table defaults method, as
-- @treturn[1] table {method, args, as, call_id, context}
-- @treturn[2] nil
-- @treturn[2] table err
function M.request(text, defaults)
    local object, wrong = ate.json.decode(text)
    if object == nil then
        return nil, invalid('no JSON: %s', wrong)
    end
    if type(object) ~= 'table' or ate.is_list(object) then
        return nil, invalid('not an object of JSON')
    end
    local request = {method = defaults.method, args = object, as = defaults.as}
    if is_request(object) and not (defaults.method ~= nil
        and object.args == nil) then
        request.method = object.method or defaults.method
        request.args = object.args or {}
        request.as = object.as or defaults.as
        request.context = object.context
        wrong = check_as(object.as)
        if wrong == nil and object.call_id ~= nil then
            request.call_id, wrong = call_id_of(object.call_id)
        end
    end
    if wrong ~= nil then
        return nil, wrong
    end
    if request.method == nil then
        return nil, invalid('no method: name one on the command line, or '
            .. 'write {"method": ..., "args": {...}}')
    end
    return request
end

--- Count a failure; what print_ready() takes for it.
function Bulk:fail(number, err, request)
    local context = self.chain
    if request ~= nil then
        context = context .. ' ' .. request.method
    end
    if err.code == 'REFUSED' then
        self.refused = self.refused + 1
    else
        self.failed = self.failed + 1
    end
    self.stopped = self.stopped or not self.keep_going
    return {line = number, err = problem.say(err, context)}
end

--- Say one failure, or several lines that failed for the same reason.
function Bulk:say_failure()
    local said = self.unsaid
    self.unsaid = nil
    if said == nil or said.err.code == 'CANCELED' and self.session.interrupted
    then
        return
    end
    local lines = said.line == said.last and 'line ' .. said.line
        or ('lines %d-%d'):format(said.line, said.last)
    local err = said.err
    err.text = ('%s: %s: %s'):format(self.input, lines, err.text)
    err.line = said.line
    self.out:error(err)
end

function Bulk:print_failure(result)
    self.first_failure = self.first_failure or result
    local said = self.unsaid
    if said ~= nil and not self.out.is_json and result.line == said.last + 1
        and result.err.text == said.err.text then
        said.last = result.line
        return
    end
    self:say_failure()
    self.unsaid = {line = result.line, last = result.line, err = result.err}
end

--- Note a line that was accepted behind one that failed.
function Bulk:note_accepted(number)
    local last = self.behind[#self.behind]
    if last ~= nil and last[2] == number - 1 then
        last[2] = number
    else
        self.behind[#self.behind + 1] = {number, number}
    end
end

--- Print results in the order of the lines.
function Bulk:print_ready()
    while self.results[self.printed + 1] ~= nil do
        self.printed = self.printed + 1
        local result = self.results[self.printed]
        self.results[self.printed] = nil
        if result.err ~= nil then
            self:print_failure(result)
        else
            self:say_failure()
            if self.first_failure ~= nil and not self.keep_going then
                self:note_accepted(result.line)
            end
            if self.out.is_json then
                self.out:json_line(result.value)
            end
        end
    end
    self:say_failure()
end

--- Which lines went in although one failed: what a second run has to know.
function Bulk:report()
    local parts = {}
    local count = 0
    for i, range in ipairs(self.behind) do
        parts[i] = range[1] == range[2] and tostring(range[1])
            or ('%d-%d'):format(range[1], range[2])
        count = count + range[2] - range[1] + 1
    end
    local what = self.accepted == 0 and 'nothing'
        or ('%s before line %d, %s'):format(
            self.accepted > count and 'all' or 'none', self.first_failure.line,
            count > 0 and 'and behind it ' .. table.concat(parts, ', ')
                or 'none behind it')
    return ('%s: accepted: %s; nothing behind line %d was sent'):format(
        self.input, what, self.number)
end

function Bulk:send(number, text)
    self.calls = self.calls + 1
    local slot = self.calls
    local request, err = M.request(text, self.defaults)
    if request == nil then
        self.results[slot] = self:fail(number, err)
        return
    end
    local sides = self.sides
    local started, wrong = self.session:start('call', {chain = self.chain,
        method = request.method, args = request.args, as = request.as,
        context = request.context or self.context,
        call_id = request.call_id, act_for = sides.act_for, with = sides.with,
        roots = sides.roots, deadline_ms = self.deadline_ms},
        function(value, failure)
            if failure ~= nil then
                self.results[slot] = self:fail(number, failure, request)
                return
            end
            self.accepted = self.accepted + 1
            if type(value) ~= 'table' or ate.is_list(value) then
                value = {result = value}
            end
            value.line = number
            self.results[slot] = {line = number, value = value}
        end)
    if started == nil then
        self.results[slot] = self:fail(number, wrong, request)
    end
end

--- Take answers until at most `most` calls are in flight.
function Bulk:settle(most)
    while self.session.under_way > most do
        self.session:pump(-1)
    end
    while self.session:pump(0) do
        self.settled = true -- take all that is there, without waiting
    end
    self:print_ready()
    self.out:progress(('call %d'):format(self.accepted), self.taken, self.size)
end

--- Wait until the input has something, taking answers meanwhile.
function Bulk:read()
    local port = self.session.port
    while self.session.under_way > 0 do
        io.stdout:flush() -- who feeds us may wait for what was answered
        local ready, interrupted = ate.host.wait({self.fd, port:fd()}, -1)
        if ready[port:fd()] or interrupted then
            self:settle(self.session.under_way)
        end
        if ready[self.fd] or self.session.interrupted or self.stopped then
            break
        end
    end
    if self.stopped or self.session.interrupted then
        return ''
    end
    io.stdout:flush()
    local _, interrupted = ate.host.wait({self.fd}, -1)
    if interrupted then
        self.session:pump(0)
        return ''
    end
    return ate.host.read(self.fd)
end

--- Send the whole lines of `buffer`; give back what is left.
function Bulk:send_lines(buffer)
    local at = 1
    while not self.stopped and not self.session.interrupted do
        local stop = buffer:find('\n', at, true)
        if stop == nil then
            break
        end
        self.number = self.number + 1
        local line = buffer:sub(at, stop - 1)
        self.taken = self.taken + stop + 1 - at
        at = stop + 1
        if line:find('%S') then
            self:send(self.number, line)
            if self.session.under_way >= IN_FLIGHT_MAX then
                self:settle(IN_FLIGHT_MAX / 2)
            end
        end
    end
    return buffer:sub(at)
end

function Bulk:read_all()
    local buffer = ''
    repeat
        local chunk, wrong = self:read()
        if chunk == nil then
            return ate.error('IO', self.input .. ': ' .. wrong)
        end
        if chunk == '' and buffer ~= '' then
            buffer = buffer .. '\n'
        end
        buffer = self:send_lines(buffer .. chunk)
        if #buffer > LINE_MAX then
            return ate.error('LIMIT', ('%s: line %d is longer than 16 MiB')
                :format(self.input, self.number + 1))
        end
    until chunk == '' or self.stopped or self.session.interrupted
    return nil
end

function Bulk:summary(seconds)
    local failed = self.failed > 0 and (', %d failed'):format(self.failed) or ''
    return ('%d call%s, %d accepted, %d refused%s, %.1f s'):format(self.calls,
        self.calls == 1 and '' or 's', self.accepted, self.refused, failed,
        seconds)
end

local function open_input(path)
    if path == '-' then
        return 0, 'stdin'
    end
    if ate.host.kind(path) == 'folder' then
        return nil, ate.error('INVALID', ('call: %s is a folder, not a file '
            .. 'of calls'):format(path))
    end
    if ate.host.kind(path) ~= 'file' and ate.host.kind(path) ~= 'other' then
        return nil, ate.error('NOT_FOUND', ('call: no file %s'):format(path))
    end
    local fd, wrong = ate.host.open(path)
    if fd == nil then
        return nil, ate.error('DENIED', 'call: ' .. wrong)
    end
    return fd, path
end

--- Run `ate call --jsonl`.
-- @tparam table ctx
-- @tparam table session
-- @tparam ?table method the one that the command line names
-- @tparam ?table given context of the lines that have none
function M.run(ctx, session, method, given)
    if #ctx.args['key=value'] > 0 or ctx.options.args ~= nil then
        return nil, invalid('call: with --jsonl arguments come from the lines')
    end
    if ctx.options.propose then
        return nil, invalid('call: --jsonl writes, and takes no --propose')
    end
    local fd, input = open_input(ctx.options.jsonl)
    if fd == nil then
        return nil, input
    end
    local self = setmetatable({
        out = ctx.out, session = session, chain = ctx.args.NAME, fd = fd,
        input = input, keep_going = ctx.options['keep-going'],
        defaults = {method = method and method.name, as = ctx.options.as},
        sides = signing.of(ctx.options), deadline_ms = ctx.options.deadline,
        context = given, size = ate.host.size(fd), taken = 0,
        results = {}, printed = 0, number = 0, behind = {},
        calls = 0, accepted = 0, refused = 0, failed = 0,
    }, Bulk)
    local start = ate.host.clock()
    local wrong = self:read_all()
    self:settle(0)
    if not ctx.out.is_json then
        ctx.out:line(self:summary((ate.host.clock() - start) / 1000))
        if self.first_failure ~= nil and not self.keep_going then
            ctx.out:talk(self:report())
        end
    end
    if session.interrupted then
        wrong = ate.error('CANCELED', 'call: interrupted after line '
            .. self.number)
    end
    if wrong ~= nil then
        return nil, wrong
    end
    return self.first_failure ~= nil and self.first_failure.err.exit or 0
end

return M
