--- What a test holds in its hand, `t`: a chain of its own, users, the clock.
--
-- A failed claim raises an error {text, where}; `where` is the line of the test
-- that made the claim.
-- @module ate.test.bench
local ate = require('ate')
local bundle_files = require('ate.client.bundles')
local claim = require('ate.test.claim')
local compare = require('ate.test.compare')
local moment = require('ate.test.moment')
local session = require('ate.client.session')
local user = require('ate.test.user')

local M = {}
local Bench = {}
Bench.__index = Bench

local fail, said = claim.fail, claim.said

-- 2026-01-01T00:00:00Z: tests answer the same on every day.
local START_MS = 1767225600000

-- What is tested are rules, so everybody may try, unless a test says otherwise.
local EVERYBODY = {'accept-all', 'serializer', 'structured-logic'}


--- Make a node in memory and a chain with a schema.
-- @tparam table schema {path, accept}
-- @tparam table bundles loaded ones by path, kept for the next test
-- @treturn[1] table t
-- @treturn[2] nil
-- @treturn[2] table err
function M.new(schema, bundles)
    local kept = bundles[schema.path]
    if kept == nil then
        local bundle, report = bundle_files.load(schema.path)
        if bundle == nil then
            return nil, report
        end
        kept = {bundle = bundle, name = report.schema.main,
            warnings = report.warnings}
        bundles[schema.path] = kept
    end
    local opened, err = session.open(nil, {memory = true})
    if opened == nil then
        return nil, err
    end
    local self = setmetatable({session = opened, chain = kept.name,
        clock = START_MS, calls = 0, gas = 0, gas_by_method = {},
        users = {}}, Bench)
    self:set_clock()
    local made
    made, err = opened:call(nil, 'chain.create', {name = kept.name,
        bundle = ate.bin(kept.bundle),
        accept = ate.list(schema.accept or EVERYBODY)})
    if made == nil then
        opened:close()
        return nil, err
    end
    return self
end

--- Replay the log in a second sandbox and compare what it comes to.
-- @treturn[1] table report
-- @treturn[2] nil
-- @treturn[2] table err
function Bench:replay()
    local info, err = self.session:read(self.chain, 'info', {state = true})
    if info == nil then
        return nil, err
    end
    local report
    report, err = self.session:read(self.chain, 'verify')
    if report == nil then
        return nil, err
    end
    for _, name in ipairs({'root', 'state_root'}) do
        local now = info[name]
        local replayed = name == 'root' and report.root or report.state
        if now == nil or now ~= replayed then
            return nil, ate.error('CORRUPT', ('the %s of the replay is %s, '
                .. 'not %s'):format(name:gsub('_', ' '), tostring(replayed),
                tostring(now)))
        end
    end
    return report
end

function Bench:close()
    self.session:close()
end

function Bench:set_clock()
    local ok, err = self.session.node:set_clock(self.clock)
    if not ok then
        fail('the clock: %s', err.text)
    end
end

--- A user with a key of the same name; `me` made the chain.
-- @tparam string name
-- @treturn table user
function Bench:user(name)
    if type(name) ~= 'string' then
        fail('t:user takes a name, such as t:user(\'alice\')')
    end
    if self.users[name] == nil then
        if name ~= 'me' then
            local key, err = self.session:call(nil, 'key.new', {name = name})
            if key == nil then
                fail('user %s: %s', name, err.text)
            end
        end
        self.users[name] = user.new(self, name)
    end
    return self.users[name]
end

--- The time of the chain's clock, as text.
function Bench:now()
    return moment.text(self.clock)
end

--- Move the clock forward: t:advance('2 days').
function Bench:advance(span)
    local ms = moment.span(span)
    if ms == nil then
        fail('t:advance: %s is no span such as \'2 days\'', compare.show(span))
    end
    self.clock = self.clock + ms
    self:set_clock()
end

--- Move the clock to a time that is not past: t:at('2026-03-01').
function Bench:at(text)
    local ms = moment.time(text)
    if ms == nil then
        fail('t:at: %s is no time such as \'2026-03-01T10:00:00Z\'',
            compare.show(text))
    end
    if ms < self.clock then
        fail('t:at: %s is past, it is %s', text, self:now())
    end
    self.clock = ms
    self:set_clock()
end

--- Answer what workers ask a service: t:service('http', function(request)
-- return {status = 200} end). A function that returns nil and a text fails, and
-- is asked again by the next t:work(); with {code, text} it is never.
-- @tparam string name
-- @tparam function answer gets (request, {key, worker, ...})
function Bench:service(name, answer)
    if type(name) ~= 'string' or type(answer) ~= 'function' then
        fail('t:service takes a name and a function, such as t:service('
            .. '\'http\', function(request) return {status = 200} end)')
    end
    local ok, err = self.session:serve(name, answer)
    if not ok then
        fail('t:service: %s', said(err))
    end
end

--- Let workers work until nothing is left that they can do: events that came, and
-- times that have passed. What failed is tried once more by each t:work().
-- @tparam[opt] string worker this one alone
-- @treturn table {done, failed, parked, failures {worker, item, code, text[, reason]}}
function Bench:work(worker)
    self.session.raised = nil
    local value, err = self.session:call(self.chain, 'ate.workers',
        {worker = worker})
    if self.session.raised ~= nil then
        error(self.session.raised, 0)
    end
    if value == nil then
        fail('t:work: %s', said(err))
    end
    return value.result ~= nil and value.result or value
end

--- Claim that nothing fails when workers work.
-- @treturn integer how many items were worked
function Bench:works(worker)
    local did = self:work(worker)
    if did.failed + did.parked > 0 then
        local first = did.failures[1]
        fail('worker %s: expected success, got %s', first.worker, said(first))
    end
    return did.done
end

--- What waits for workers, and what is parked.
-- @tparam[opt] table options worker, parked
-- @treturn table list of {worker, item, parked, why, what, due, row}
function Bench:waiting(options)
    local rows = {}
    local value, err = self.session:read(self.chain, 'work', options or {},
        function(row)
            rows[#rows + 1] = row
        end)
    if value == nil then
        fail('t:waiting: %s', said(err))
    end
    return rows
end

--- Claim that a rule refuses a call.
-- @tparam string rule its name
-- @tparam table caller a user
-- @tparam string method
-- @tparam[opt] table args
-- @treturn string what was said
function Bench:refused(rule, caller, method, args)
    local value, err = user.start(self, caller, method, args)
    if value ~= nil then
        fail('%s: expected a refusal by %s, but it was accepted', method, rule)
    end
    local name = err.rule or ''
    if err.code ~= 'REFUSED'
        or name ~= rule and name:match('[^.]*$') ~= rule then
        fail('%s: expected a refusal by %s, got %s', method, rule, said(err))
    end
    return err.text
end

--- Claim that a call fails otherwise: t:fails('INVALID', alice, 'transfer').
-- @tparam string code such as INVALID, NOT_FOUND, DENIED, CONFLICT
-- @treturn string what was said
function Bench:fails(code, caller, method, args)
    local value, err = user.start(self, caller, method, args)
    if value ~= nil then
        fail('%s: expected %s, but it was accepted', method, code)
    end
    if err.code ~= code then
        fail('%s: expected %s, got %s', method, code, said(err))
    end
    return err.text
end

--- Claim that two values are equal. `id` and `_` of rows count only when the
-- expected value has them.
function Bench:equal(got, expected)
    local where, a, b = compare.difference(got, expected)
    if where == nil then
        return
    end
    if where == '' then
        fail('expected %s\n     got %s', compare.show(expected),
            compare.show(got))
    end
    fail('at %s: expected %s\n%sgot %s\n  in %s', where, compare.show(b),
        (' '):rep(#where + 10), compare.show(a), compare.show(got))
end

--- Claim that a value is neither nil nor false.
function Bench:ok(value, text)
    if not value or value == ate.null then
        fail('%s', text or 'expected something, got ' .. compare.show(value))
    end
end

--- End the test as failed.
function Bench:fail(text)
    fail('%s', tostring(text))
end

-- Reading as nobody in particular: t:view(...) is t:user('me'):view(...).
for _, name in ipairs({'view', 'get', 'list', 'history', 'sum'}) do
    Bench[name] = function(self, ...)
        return user.User[name](self:user('me'), ...)
    end
end

return M
