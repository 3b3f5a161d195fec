--- A chain as an object of the REPL.
--
--     bank.transfer{from = 'alice', to = 'bob', amount = '1.00'}
--     bank.account.put{...}   bank.view.balance{account = 'alice'}
--     bank.get.account('alice')   bank.list.transfer{limit = 10}
--
-- What scripts write (ate.client.chain) goes, too: bank:get('account', 'x').
-- @module ate.repl.chain
local ate = require('ate')
local asof = require('ate.repl.asof')
local explain = require('ate.repl.explain')
local problem = require('ate.client.problem')
local scripts = require('ate.client.chain')
local shape = require('ate.client.shape')
local suggest = require('ate.client.suggest')

local M = {}

--- Words that mean reading; a method of the same name is `bank.call(name)`.
M.READS = {'call', 'get', 'history', 'info', 'list', 'schema', 'sum', 'tail',
    'verify', 'view'}

local function raise(err, context)
    error(problem.say(err, context), 0)
end

local function find(repl, chain, what, name)
    local schema, err = repl.session:schema(chain)
    if schema == nil then
        raise(err)
    end
    local item
    item, err = shape.find(schema, what, name, chain)
    if item == nil then
        raise(err)
    end
    return item
end

-- Chains and what stands behind them: tables without fields.
local function part(meta)
    meta.is_part_of_chain = true
    return setmetatable({}, meta)
end

--- Whether a value is a chain, or what is written behind one: bank.view.
function M.is_part(value)
    local meta = type(value) == 'table' and getmetatable(value) or nil
    return type(meta) == 'table' and rawget(meta, 'is_part_of_chain') == true
end

--- The arguments without the chain that `bank:call(...)` puts in front.
local function without_self(first, ...)
    if M.is_part(first) then
        return ...
    end
    return first, ...
end

--- What is not known as of earlier is refused, and not shown as it is now.
local function only_now(repl, what)
    if repl.asof == nil then
        return
    end
    error(ate.error('INVALID', ('%s is known as it is now alone: \\asof %s '
        .. 'has get, history and tail; \\asof now goes back'):format(what,
            repl.asof.text)), 0)
end

--- What scripts read of the chain, asked by whom \as says.
local function read_of(repl, chain, read, args)
    local folder = {session = repl.session, options = {as = repl.as}}
    local value, err = scripts.new(folder, chain):read(read, args)
    if value == nil then
        error(err, 0)
    end
    return value
end

--- A position that the log has not come to is no earlier one.
function M.check_moment(repl, chain, moment)
    if moment == nil or moment.size == nil then
        return
    end
    local info = read_of(repl, chain, 'info')
    if moment.size > info.size then
        error(ate.error('INVALID', ('\\asof %s: the log of %s has %d '
            .. 'transaction%s'):format(moment.text, chain, info.size,
            info.size == 1 and '' or 's')), 0)
    end
end

--- What stands behind the arguments: {context = {...}}.
local function context_of(options)
    for name in pairs(type(options) == 'table' and options or {}) do
        if name ~= 'context' then
            error(ate.error('INVALID', ('no option %q here; there is context')
                :format(tostring(name))), 0)
        end
    end
    if options ~= nil and type(options) ~= 'table' then
        error(ate.error('INVALID', 'options stand in a table: '
            .. '{context = {...}}'), 0)
    end
    return options and options.context
end

--- What a call would write, known as such.
local function explained(repl, chain, method, write)
    local list, err = explain.read(repl, chain, write)
    if list == nil then
        raise(err)
    end
    repl.known[list] = {lines = explain.lines(repl.session:schema(chain),
        method.name, write, list)}
    return list
end

--- Call a method; what it gives is known to be a write or rows.
local function call(repl, chain, name, args, options)
    only_now(repl, name)
    if args ~= nil and type(args) ~= 'table' then
        error(('%s.%s takes a table: %s.%s{name = value}'):format(chain, name,
            chain, name), 0)
    end
    local method = find(repl, chain, 'method', name)
    local who = {as = repl.as, context = context_of(options),
        propose = repl.explains and method.mode == 'write' or nil}
    if method.mode == 'write' and repl.session.writing_err ~= nil then
        raise(repl.session.writing_err)
    end
    local value, err = repl.session:call(chain, method.name, args or {},
        who)
    if value == nil then
        raise(err, chain .. ' ' .. method.name)
    end
    if who.propose then
        return explained(repl, chain, method, value)
    elseif method.mode == 'write' and type(value) == 'table' then
        repl.known[value] = {write = method.name}
    elseif ate.is_list(value) then
        repl.known[value] = {columns =
            shape.method_columns(repl.session:schema(chain), method,
                value)}
    end
    return value
end

local function rows(repl, chain, read, args, columns)
    local list = read_of(repl, chain, read, args)
    if list == ate.null then
        list = ate.list({})
    end
    repl.known[list] = {columns = columns}
    return list
end

local function with(options, name, value)
    local args = {}
    for key, option in pairs(type(options) == 'table' and options or {}) do
        args[key] = option
    end
    args[name] = value
    return args
end

--- What stands behind `bank.get.` and the like: name -> function.
local namespaces = {}

function namespaces.get(repl, chain, name)
    local type_ = find(repl, chain, 'type', name)
    return function(key)
        local args = {type = type_.name, key = key}
        if repl.asof == nil then
            return read_of(repl, chain, 'get', args)
        end
        M.check_moment(repl, chain, repl.asof)
        local object = asof.object(repl.asof, rows(repl, chain, 'history',
            args))
        if object == nil then
            error(ate.error('NOT_FOUND', ('%s %s was not there as of %s')
                :format(name, tostring(key), repl.asof.text)), 0)
        end
        return object
    end
end

function namespaces.list(repl, chain, name)
    only_now(repl, 'list')
    local type_ = find(repl, chain, 'type', name)
    return function(options)
        return rows(repl, chain, 'list', with(options, 'type', type_.name),
            shape.type_columns(type_))
    end
end

function namespaces.history(repl, chain, name)
    local type_ = find(repl, chain, 'type', name)
    return function(key)
        M.check_moment(repl, chain, repl.asof)
        local columns = shape.history_columns(type_)
        local list = rows(repl, chain, 'history',
            {type = type_.name, key = key}, columns)
        if repl.asof ~= nil then
            list = asof.versions(repl.asof, list)
            repl.known[list] = {columns = columns}
        end
        return list
    end
end

function namespaces.view(repl, chain, name)
    only_now(repl, 'view')
    local view = find(repl, chain, 'view', name)
    return function(where, options)
        local args = with(options, 'view', view.name)
        args.where = where
        local list = rows(repl, chain, 'view', args, shape.view_columns(view))
        local order = shape.row_order(view)
        if options == nil and order ~= nil then
            table.sort(list, order)
        end
        return list
    end
end

function namespaces.sum(repl, chain, name)
    only_now(repl, 'sum')
    local view = find(repl, chain, 'view', name)
    return function(column, where)
        return read_of(repl, chain, 'sum', {view = view.name, column = column,
            where = where})
    end
end

local plain = {}

function plain.info(repl, chain)
    return read_of(repl, chain, 'info')
end

function plain.schema(repl, chain)
    return read_of(repl, chain, 'schema')
end

function plain.verify(repl, chain)
    return read_of(repl, chain, 'verify')
end

--- The last so many transactions, or those of {from, limit}.
function plain.tail(repl, chain, count)
    M.check_moment(repl, chain, repl.asof)
    local size = read_of(repl, chain, 'info').size
    if repl.asof ~= nil and repl.asof.size == nil then
        only_now(repl, 'tail by a time')
    elseif repl.asof ~= nil then
        size = math.min(size, repl.asof.size)
    end
    local span = type(count) == 'table' and count or {limit = count}
    local limit = span.limit or span.from == nil and 10 or size
    local from = span.from or math.max(0, size - limit)
    limit = math.min(limit, size - from)
    local list = limit <= 0 and ate.list({})
        or rows(repl, chain, 'tail', {from = from, limit = limit})
    local schema = repl.session:schema(chain)
    repl.known[list] = {tail = schema ~= nil and schema.main or ''}
    return list
end

function plain.call(repl, chain, name, args, options)
    if type(name) ~= 'string' then
        error(ate.error('INVALID', ('call takes the name of a method: '
            .. '%s:call(\'NAME\', {...})'):format(chain)), 0)
    end
    return call(repl, chain, name, args, options)
end

local LISTS = {get = 'types', list = 'types', history = 'types',
    view = 'views', sum = 'views'}

--- The names of a list of the schema, those that begin with `front`.
local function names_of(repl, chain, list, front)
    local schema, err = repl.session:schema(chain)
    if schema == nil then
        raise(err)
    end
    local names = {}
    for _, item in ipairs(schema[list] or {}) do
        if item.name:sub(1, #front) == front then
            names[#names + 1] = item.name
        end
    end
    table.sort(names)
    return names
end

--- Whether a chain has a method of just that name.
function M.is_method(repl, chain, name)
    local schema = repl.session:schema(chain)
    return schema ~= nil and shape.find(schema, 'method', name, chain) ~= nil
end

local function told(what, names)
    return what .. ': ' .. suggest.list(names)
end

--- `get{...}` may be meant for a method of that name.
local function check_name(repl, chain, read, name)
    if type(name) == 'string' then
        return
    end
    local text = M.is_method(repl, chain, read)
        and "%s is the read here; the method is %s:call('%s', {...})"
        or "%s takes the name of a " .. LISTS[read]:sub(1, -2)
            .. ": %s.%s.NAME(...), not a " .. type(name)
    error(ate.error('INVALID', text:format(read, chain, read)), 0)
end

local ASKED = {get = "('KEY')", list = '()', history = "('KEY')",
    view = '{COLUMN = VALUE}', sum = "('COLUMN')"}

--- What stands behind a read: `bank.view.balance`, which is called.
local function reader(repl, chain, read, name)
    local run = namespaces[read](repl, chain, name)
    return part({
        __call = function(_, ...)
            return run(without_self(...)) -- also view:balance{...}
        end,
        __tostring = function()
            return ('%s.%s%s reads it; \\doc %s says what it has'):format(read,
                name, ASKED[read], name)
        end,
    })
end

local function namespace(repl, chain, read)
    return part({
        __index = function(_, name)
            return reader(repl, chain, read, tostring(name))
        end,
        __call = function(_, ...) -- bank:view('balance', {...})
            local function with_name(name, ...)
                check_name(repl, chain, read, name)
                return namespaces[read](repl, chain, tostring(name))(...)
            end
            return with_name(without_self(...))
        end,
        __tostring = function()
            return told(('%s of %s for %s.%s'):format(LISTS[read], chain,
                chain, read), names_of(repl, chain, LISTS[read], ''))
        end,
    })
end

--- A method, or the front of one: `bank.account` of `bank.account.put`.
local function path(repl, chain, name)
    local below = names_of(repl, chain, 'methods', name .. '.')
    local is_method = M.is_method(repl, chain, name)
    if #below == 0 and not is_method then
        find(repl, chain, 'method', name)
    end
    return part({
        __index = function(_, key)
            return path(repl, chain, name .. '.' .. tostring(key))
        end,
        __call = function(_, ...)
            return call(repl, chain, name, without_self(...))
        end,
        __tostring = function()
            local lines = {}
            if is_method then
                lines[1] = ('method %s of %s; \\doc %s says what it takes')
                    :format(name, chain, name)
            end
            if #below > 0 then
                lines[#lines + 1] = told('methods of ' .. chain, below)
            end
            return table.concat(lines, '\n')
        end,
    })
end

-- What scripts have, too, where the chain has no method of that name.
local of_scripts = {}

function of_scripts.read(repl, chain, read, args)
    if args ~= nil and type(args) ~= 'table' then
        error(ate.error('INVALID', ('%s takes a table of arguments, not a %s')
            :format(tostring(read), type(args))), 0)
    end
    return read_of(repl, chain, read, args)
end

--- The text of a module; without one, which there are.
function of_scripts.source(repl, chain, module, options)
    local found = read_of(repl, chain, 'source', {module = module,
        version = options ~= nil and options.version or nil})
    return found.source or found
end

for _, name in ipairs({'each', 'follow'}) do
    of_scripts[name] = function()
        error(ate.error('INVALID', ('%s is for scripts, ate run: here list, '
            .. 'view and tail give all rows, and \\watch shows what changes')
            :format(name)), 0)
    end
end

--- What `bank.NAME` is.
-- @tparam table repl {session, as, known}
-- @tparam string chain
-- @tparam string name
function M.member(repl, chain, name)
    if namespaces[name] ~= nil then
        return namespace(repl, chain, name)
    end
    local own = plain[name]
    if own == nil and not M.has_method(repl, chain, name) then
        own = of_scripts[name]
    end
    if own ~= nil then
        return function(...)
            return own(repl, chain, without_self(...))
        end
    end
    return path(repl, chain, name)
end

--- The object of a chain.
function M.new(repl, chain)
    return part({
        __index = function(_, name)
            return M.member(repl, chain, tostring(name))
        end,
        __tostring = function()
            return 'chain ' .. chain
        end,
    })
end

--- Whether the current chain's schema has a method or the front of one.
function M.has_method(repl, chain, name)
    local schema = repl.session:schema(chain)
    for _, method in ipairs(schema ~= nil and schema.methods or {}) do
        if method.name == name or method.name:sub(1, #name + 1) == name .. '.'
        then
            return true
        end
    end
    return false
end

--- The names of all chains.
function M.names(repl)
    local chains = repl.session:call(nil, 'chain.ls') or {}
    local names = ate.list({})
    for i, chain in ipairs(chains) do
        names[i] = chain.name
    end
    table.sort(names)
    return names
end

return M
