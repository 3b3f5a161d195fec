--- What a test holds in its hand, `t`: a chain of its own, users, the clock.
--
-- A failed claim raises an error {failure = true, text, where}; `where` is the
-- line of the test that made the claim.
-- @module ate.test.bench
local ate = require('ate')
local compare = require('ate.test.compare')
local moment = require('ate.test.moment')
local problem = require('ate.client.problem')
local session = require('ate.client.session')

local M = {}
local Bench = {}
Bench.__index = Bench
local User = {}
User.__index = User

-- 2026-01-01T00:00:00Z: tests answer the same on every day.
local START_MS = 1767225600000

--- Raise a failure at the line of the test, above all files of ours.
local function fail(text, ...)
    local where
    for level = 2, 50 do
        local info = debug.getinfo(level, 'Sl')
        if info == nil then
            break
        end
        if info.what ~= 'C' and not info.source:match('^@lua/') then
            where = ('%s:%d'):format(info.short_src, info.currentline)
            break
        end
    end
    error({failure = true, text = text:format(...), where = where}, 0)
end
M.fail = fail

local function said(err, context)
    return ('%s (%s)'):format(problem.say(err, context).text, err.code)
end

--- Make a node in memory and a chain with a schema.
-- @tparam table schema {path, accept}
-- @tparam table bundles loaded ones by path, kept for the next test
-- @treturn[1] table t
-- @treturn[2] nil
-- @treturn[2] table err
function M.new(schema, bundles)
    local kept = bundles[schema.path]
    if kept == nil then
        local bundle, report = ate.bundle(schema.path)
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
        accept = schema.accept and ate.list(schema.accept) or nil})
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
    local info, err = self.session:read(self.chain, 'info')
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
        if now ~= nil and now ~= ate.null and now ~= replayed then
            return nil, ate.error('CORRUPT', ('the %s of the replay is %s, '
                .. 'not %s'):format(name:gsub('_', ' '), tostring(replayed),
                now))
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
        self.users[name] = setmetatable({name = name, bench = self}, User)
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

local function start_call(self, user, method, args)
    if getmetatable(user) ~= User then
        fail('which user calls %s? t:user(\'alice\') makes one',
            tostring(method))
    end
    if args ~= nil and type(args) ~= 'table' then
        fail('%s: the arguments are a table', tostring(method))
    end
    local value, err = self.session:call(self.chain, method, args or {},
        user.name)
    if type(value) == 'table' and type(value.gas) == 'number' then
        self.calls = self.calls + 1
        self.gas = self.gas + value.gas
        local sum = self.gas_by_method[method] or {calls = 0, gas = 0}
        sum.calls, sum.gas = sum.calls + 1, sum.gas + value.gas
        self.gas_by_method[method] = sum
    end
    return value, err
end

--- Claim that a rule refuses a call.
-- @tparam string rule its name
-- @tparam table user
-- @tparam string method
-- @tparam[opt] table args
-- @treturn string what was said
function Bench:refused(rule, user, method, args)
    local value, err = start_call(self, user, method, args)
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
function Bench:fails(code, user, method, args)
    local value, err = start_call(self, user, method, args)
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

--- Call a method; anything but success fails the test.
-- @treturn value what the method returned
-- @treturn table {result, index, gas, ...} of a write
function User:call(method, args)
    local value, err = start_call(self.bench, self, method, args)
    if value == nil then
        fail('%s: expected success, got %s', method, said(err))
    end
    if type(value) == 'table' and value.gas ~= nil and value.tx ~= nil then
        local result = value.result
        return result ~= ate.null and result or nil, value
    end
    return value ~= ate.null and value or nil
end

local function read(user, method, args, rows)
    local bench = user.bench
    local value, err = bench.session:read(bench.chain, method, args,
        function(row)
            if rows ~= nil then
                rows[#rows + 1] = row
            end
        end, user.name)
    if value == nil then
        if err.code == 'NOT_FOUND' and method == 'get' then
            return nil
        end
        fail('%s', said(err, method))
    end
    return rows or value
end

local function with(options, name, value)
    local args = {[name] = value}
    for key, option in pairs(options or {}) do
        args[key] = option
    end
    return args
end

--- The rows of a view: alice:view('balance', {account = 'alice'}).
-- @tparam string view
-- @tparam[opt] table where
-- @tparam[opt] table options limit, order ('first', 'last')
-- @treturn table
function User:view(view, where, options)
    local args = with(options, 'view', view)
    args.where = where
    return read(self, 'view', args, {})
end

--- One object or fact, or nil.
function User:get(type_, key)
    return read(self, 'get', {type = type_, key = key})
end

--- Objects or facts; options: parent, limit, order.
function User:list(type_, options)
    return read(self, 'list', with(options, 'type', type_), {})
end

--- All versions of an object.
function User:history(type_, key)
    return read(self, 'history', {type = type_, key = key}, {})
end

--- The sum of a column.
function User:sum(view, column, where)
    return read(self, 'sum', {view = view, column = column, where = where})
end

-- Reading as nobody in particular: t:view(...) is t:user('me'):view(...).
for _, name in ipairs({'view', 'get', 'list', 'history', 'sum'}) do
    Bench[name] = function(self, ...)
        return User[name](self:user('me'), ...)
    end
end

return M
