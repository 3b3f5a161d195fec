--- A chain as an object, for scripts.
--
--     bank:transfer{from = 'alice', to = 'bob', amount = '1.00'}
--     bank.account.put{name = 'carol', owner = 'me'}
--     bank:view('balance', {account = 'alice'})
--     for change in bank:follow('view', 'balance') do ... end
--
-- What can fail gives nil and an error {code, text, rule, exit}; a loop raises
-- it. A method that is named like a function here is called by call().
-- @module ate.client.chain
local ate = require('ate')
local changes = require('ate.client.changes')
local problem = require('ate.client.problem')
local request_of = require('ate.client.session').request
local stream = require('ate.client.stream')
local suggest = require('ate.client.suggest')

local M = {}
local Chain = {}

-- Options that say how, not what; the others are arguments of the read.
local HOW = {as = true, act_for = true, with = true, roots = true,
    propose = true, context = true, deadline_ms = true, call_id = true,
    credit = true}

local HERE = debug.getinfo(1, 'S').source

--- Raise a mistake of the script, at the line where it called one of ours.
local function blame(text, ...)
    local level = 2
    local at = debug.getinfo(level, 'S')
    while at ~= nil and at.source == HERE do
        level = level + 1
        at = debug.getinfo(level, 'S')
    end
    error(text:format(...), level)
end

--- Split options into what the read is asked and how it is asked.
local function split(self, options, known, follows)
    local args, who = {}, {}
    if options ~= nil and type(options) ~= 'table' then
        blame('options are a table such as {as = \'bob\'}, not a %s',
            type(options))
    end
    for name, value in pairs(self.folder.options) do
        who[name] = value
    end
    for name, value in pairs(options or {}) do
        if HOW[name] then
            who[name] = value
        elseif known[name] or (follows and name == 'from') then
            args[name] = value
        else
            blame('no option %q here', tostring(name))
        end
    end
    return args, who
end

local function say(self, value, err, what)
    if value == nil then
        return nil, problem.say(err, self.name .. (what and ' ' .. what or ''))
    end
    return value
end

local PAGE = {after = true, limit = true, order = true}
local LIST = {after = true, limit = true, order = true, parent = true}
local HISTORY = {after = true, limit = true}
local SOURCE = {version = true}
local TAIL = {from = true, limit = true}
local NONE = {}

-- What each read takes -> its arguments, the options, those it knows.
local READS = {}

function READS.view(view, where, options)
    return {view = view, where = where}, options, PAGE
end

function READS.list(type_, options)
    return {type = type_}, options, LIST
end

function READS.get(type_, key, options)
    return {type = type_, key = key}, options, NONE
end

function READS.history(type_, key, options)
    return {type = type_, key = key}, options, HISTORY
end

function READS.call(method, args, options)
    return {method = method, args = args}, options, NONE
end

function READS.tail(options)
    return {}, options, TAIL
end

local FIRST = {view = 'a view', call = 'a method', sum = 'a view',
    source = 'a module'}

--- `bank.view('balance')`: the name stands where the chain would.
local function check_self(self, read)
    if type(self) ~= 'table' then
        blame('%s is called with a colon: CHAIN:%s(...)', read, read)
    end
end

--- `get{...}` may be meant for a method of that name.
local function check_name(read, name)
    if type(name) == 'string' then
        return
    end
    local first = FIRST[read] or 'a type'
    blame('%s takes the name of %s, not a %s; a method that is called %s is '
        .. 'call(\'%s\', {...})', read, first, type(name), read, read)
end

--- The arguments of a method.
local function check_args(method, args)
    if args ~= nil and args ~= ate.null and type(args) ~= 'table' then
        blame('%s takes a table of arguments, not a %s', method, type(args))
    end
end

--- The arguments of a read, and how it is asked.
local function read_of(self, follows, read, ...)
    check_self(self, read)
    local kind = READS[read]
    if kind == nil then
        local names = {}
        for name in pairs(READS) do
            names[#names + 1] = name
        end
        blame('no read %q%s', tostring(read),
            suggest.hint_or_list(tostring(read), names))
    end
    if kind ~= READS.tail then
        check_name(read, ...)
    end
    local args, options, known = kind(...)
    local given, who = split(self, options, known, follows)
    for name, value in pairs(given) do
        args[name] = value
    end
    return args, who
end

--- Call a method.
-- @tparam string name
-- @tparam[opt] table args
-- @tparam[opt] table options as, act_for, with, roots, context, deadline_ms,
-- call_id
-- @treturn[1] what it gives: of a write {result, index, tx, receipt, ...}
-- @treturn[2] nil
-- @treturn[2] table err
function Chain:call(name, args, options)
    check_self(self, 'call')
    check_name('call', name)
    check_args(name, args)
    local _, who = split(self, options, NONE)
    local value, err = self.session:call(self.name, name, args, who)
    return say(self, value, err, name)
end

--- One object or fact.
-- @tparam string type
-- @tparam string key
function Chain:get(type_, key, options)
    local args, who = read_of(self, false, 'get', type_, key, options)
    local value, err = self.session:read(self.name, 'get', args, nil, who)
    return say(self, value, err)
end

local function rows(self, read, ...)
    local args, who = read_of(self, false, read, ...)
    local list, err = self.session:rows(self.name, read, args, who)
    return say(self, list, err)
end

--- Rows of a view, as a list.
-- @tparam string name
-- @tparam[opt] table where columns and what they have to be
-- @tparam[opt] table options limit, order, after; as, deadline_ms
function Chain:view(name, where, options)
    return rows(self, 'view', name, where, options)
end

--- Objects or facts of a type, as a list.
-- @tparam string type
-- @tparam[opt] table options parent, limit, order, after; as, deadline_ms
function Chain:list(type_, options)
    return rows(self, 'list', type_, options)
end

--- The versions of an object, the newest first.
-- @tparam[opt] table options limit, after (`_.at` of a version); as,
-- deadline_ms
function Chain:history(type_, key, options)
    return rows(self, 'history', type_, key, options)
end

--- Transactions, as a list.
-- @tparam[opt] table options from, limit
function Chain:tail(options)
    return rows(self, 'tail', options)
end

--- The sum of a column of a view.
function Chain:sum(view, column, where, options)
    check_name('sum', view)
    local _, who = split(self, options, NONE)
    local value, err = self.session:read(self.name, 'sum', {view = view,
        column = column, where = where}, nil, who)
    return say(self, value, err)
end

--- Any read by its name, with its arguments: its value, or its rows when it
-- has some.
function Chain:read(read, args, options)
    check_args(read, args)
    local _, who = split(self, options, NONE)
    local list = ate.list({})
    local value, err = self.session:read(self.name, read, args, function(row)
        list[#list + 1] = row
    end, who)
    if value == ate.null and #list > 0 then
        return list
    end
    return say(self, value, err)
end

for _, read in ipairs({'info', 'schema', 'verify'}) do
    Chain[read] = function(self, options)
        local _, who = split(self, options, NONE)
        local value, err = self.session:read(self.name, read, nil, nil, who)
        return say(self, value, err)
    end
end

--- The Lua that the chain keeps: which modules, or the text of one.
-- @tparam[opt] string module
-- @tparam[opt] table options version; as, deadline_ms
function Chain:source(module, options)
    if module ~= nil then
        check_name('source', module)
    end
    local args, who = split(self, options, SOURCE)
    args.module = module
    local value, err = self.session:read(self.name, 'source', args, nil, who)
    return say(self, value, err)
end

local function one(row)
    return {row}
end

local function open_stream(self, read, args, who, items_of)
    local request = request_of(self.name, read, args, who)
    local opened, err = stream.open(self.session, request, items_of)
    if opened == nil then
        error(err, 3)
    end
    return opened
end

--- The same rows one by one: `for row in bank:each('view', 'balance') do`.
-- @tparam string read view, list, history or tail, and what follows it there
-- @treturn table stream
function Chain:each(read, ...)
    local args, who = read_of(self, false, read, ...)
    return open_stream(self, read, args, who, one)
end

--- What is there, and then each change: `for change in bank:follow('view',
-- 'balance') do`. Each change has one of `put` (a row as it is now), `gone`
-- (the key of one that is no more), `value` (of get and call) or `reset` (why
-- what was told before counts no more), or none; `at`, where it stands, is the
-- position up to which all is told. A tail gives transactions with `at`.
-- @tparam string read view, list, get, call or tail, and what follows it there
-- @treturn table stream; the option `from` lets it go on from a position
function Chain:follow(read, ...)
    local args, who = read_of(self, true, read, ...)
    args.follow = true
    return open_stream(self, read, args, who,
        read == 'tail' and changes.of_tail or changes.of)
end

--- `bank.account` of `bank.account.put{...}`; a method when it is called.
local function path(self, name)
    local mine = {}
    return setmetatable(mine, {
        __index = function(_, key)
            local longer = path(self, name .. '.' .. tostring(key))
            getmetatable(longer).above = mine
            return longer
        end,
        __call = function(called, first, second, third)
            if first == self or first ~= nil
                and first == getmetatable(called).above then
                return self:call(name, second, third) -- bank:transfer{...}
            end
            return self:call(name, first, second)
        end,
        __tostring = function()
            return ('method %s of %s'):format(name, self.name)
        end,
    })
end

--- Make one; nothing is read for it.
-- @tparam table folder
-- @tparam string name
function M.new(folder, name)
    local self = {folder = folder, session = folder.session, name = name}
    return setmetatable(self, {
        __index = function(_, key)
            return Chain[key] or path(self, tostring(key))
        end,
        __tostring = function()
            return 'chain ' .. name
        end,
    })
end

return M
