--- Somebody with a key: what a test calls and reads as.
--
-- A user may stand for several keys of one call: alice:with(bob) signs as alice
-- and bob. That is a user, too, and alice stays as she was.
-- @module ate.test.user
local ate = require('ate')
local claim = require('ate.test.claim')
local shape = require('ate.client.shape')

local M = {}
local User = {}
User.__index = User
M.User = User

local fail, said = claim.fail, claim.said

--- Make one; the key of this name is there.
-- @tparam table bench the test's chain
-- @tparam string name
-- @treturn table
function M.new(bench, name)
    return setmetatable({name = name, bench = bench,
        sides = {as = name}}, User)
end

local function is_user(value)
    return getmetatable(value) == User
end

--- One more user like this one, with other sides of its calls.
local function aside(self, changes)
    local sides = {}
    for key, value in pairs(self.sides) do
        sides[key] = value
    end
    for key, value in pairs(changes) do
        sides[key] = value
    end
    return setmetatable({name = self.name, bench = self.bench, sides = sides},
        User)
end

--- The names of users behind those of a list of texts.
local function names_of(what, before, ...)
    local names = {before}
    if select('#', ...) == 0 then
        fail('%s: who? It takes users, such as t:user(\'bob\')', what)
    end
    for i = 1, select('#', ...) do
        local other = select(i, ...)
        if not is_user(other) then
            fail('%s takes users, such as t:user(\'bob\')', what)
        end
        names[#names + 1] = other.name
    end
    return table.concat(names, ',')
end

--- Somebody whose calls others sign, too, as authors: alice:with(bob).
-- @param ... users
-- @treturn table user
function User:with(...)
    return aside(self, {with = names_of('user:with', self.sides.with, ...)})
end

--- Somebody whose calls others sign, too, as root keys: alice:with_root(me).
-- @param ... users
-- @treturn table user
function User:with_root(...)
    return aside(self,
        {roots = names_of('user:with_root', self.sides.roots, ...)})
end

--- Somebody who acts for another, who has granted it: bob:acting_for(alice).
-- @tparam table other user
-- @treturn table user
function User:acting_for(other)
    return aside(self, {act_for = names_of('user:acting_for', nil, other)})
end

--- Somebody whose calls say more than their arguments: what the schema's
-- `context` declares, for ctx.data.
-- @tparam table context its fields
-- @treturn table user
function User:with_context(context)
    if type(context) ~= 'table' then
        fail('user:with_context takes a table of what the schema\'s context '
            .. 'declares')
    end
    return aside(self, {context = context})
end

--- Call a method as somebody and count its gas.
-- @tparam table bench
-- @param caller a user, or a mistake of the test
-- @tparam string method
-- @tparam[opt] table args
-- @return[1] value
-- @treturn[2] nil
-- @treturn[2] table err
function M.start(bench, caller, method, args)
    if not is_user(caller) then
        fail('which user calls %s? t:user(\'alice\') makes one',
            tostring(method))
    end
    if args ~= nil and type(args) ~= 'table' then
        fail('%s: the arguments are a table', tostring(method))
    end
    local value, err = bench.session:call(bench.chain, method, args or {},
        caller.sides)
    if type(value) == 'table' and type(value.gas) == 'number' then
        bench.calls = bench.calls + 1
        bench.gas = bench.gas + value.gas
        local sum = bench.gas_by_method[method] or {calls = 0, gas = 0}
        sum.calls, sum.gas = sum.calls + 1, sum.gas + value.gas
        bench.gas_by_method[method] = sum
    end
    return value, err
end

local function not_null(value)
    if value == ate.null then
        return nil
    end
    return value
end

--- Call a method; anything but success fails the test.
-- @treturn value what the method returned
-- @treturn table {result, index, gas, ...} of a write
function User:call(method, args)
    local value, err = M.start(self.bench, self, method, args)
    if value == nil then
        fail('%s: expected success, got %s', method, said(err))
    end
    if type(value) == 'table' and value.gas ~= nil and value.tx ~= nil then
        return not_null(value.result), value
    end
    return not_null(value)
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

--- How whole views are ordered: by what their rows show.
local function order_of(bench, name)
    local schema = bench.session:schema(bench.chain)
    local view = schema ~= nil
        and shape.find(schema, 'view', name, bench.chain)
    return view and shape.row_order(view)
end

--- The rows of a view: alice:view('balance', {account = 'alice'}).
-- @tparam string view
-- @tparam[opt] table where
-- @tparam[opt] table options limit, order ('first', 'last')
-- @treturn table
function User:view(view, where, options)
    local args = with(options, 'view', view)
    args.where = where
    local rows = read(self, 'view', args, {})
    local order = options == nil and order_of(self.bench, view)
    if order then
        table.sort(rows, order)
    end
    return rows
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

return M
