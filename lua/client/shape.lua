--- What a schema says about the rows and arguments of its parts.
-- @module ate.client.shape
local ate = require('ate')
local cell = require('ate.client.cell')
local shell = require('ate.client.shell')
local suggest = require('ate.client.suggest')

local M = {}

local LISTS = {type = 'types', view = 'views', method = 'methods'}

local function is_set(value)
    return value ~= nil and value ~= ate.null
end
M.is_set = is_set

-- More than these are not listed in an error.

local function is_named(schema, item, name)
    return item.name == name or schema.main .. '.' .. item.name == name
end

--- Why a default method is not there, when its type turned it off.
local function turned_off(schema, what, name)
    local front, verb = name:match('^(.*)%.(%l+)$')
    for _, type_ in ipairs(what == 'method' and schema.types or {}) do
        for _, word in ipairs(is_named(schema, type_, front) and type_.off
            or {}) do
            if word == verb then
                return ('%s.%s is turned off%s'):format(type_.name, verb,
                    is_set(type_.where) and ', ' .. type_.where or '')
            end
        end
    end
    return nil
end

local COMMANDS = {type = 'list', view = 'view', method = 'call'}

--- What else has that name, and the command for it.
local function something_else(schema, what, name, chain)
    for _, other in ipairs({'type', 'view', 'method'}) do
        for _, item in ipairs(schema[LISTS[other]] or {}) do
            if other ~= what and is_named(schema, item, name) then
                return ('%s is a %s, not a %s; try ate %s %s %s'):format(name,
                    other, what, COMMANDS[other], shell.quoted(chain),
                    name)
            end
        end
    end
    return nil
end

--- The names that a schema has of one kind; of methods those that it says
-- itself, for every type has some more.
-- @tparam table schema
-- @tparam string what `type`, `view` or `method`
-- @treturn table sorted list
function M.own_names(schema, what)
    local names = {}
    for _, item in ipairs(schema[LISTS[what]] or {}) do
        if what ~= 'method' or item.default ~= true then
            names[#names + 1] = item.name
        end
    end
    table.sort(names)
    return names
end

--- What there is, for the end of an error.
-- @treturn string `; there are: balance`
function M.there_are(schema, what, chain)
    local has_more = what == 'method' and #(schema.types or {}) > 0
    return suggest.there_are(M.own_names(schema, what), has_more
        and 'those of types: ate schema show ' .. shell.quoted(chain) or nil)
end

--- Find a type, view or method by its short or qualified name.
-- @tparam table schema
-- @tparam string what `type`, `view` or `method`
-- @tparam string name
-- @tparam string chain its name, for the error
-- @treturn[1] table
-- @treturn[2] nil
-- @treturn[2] table err, NOT_FOUND
function M.find(schema, what, name, chain)
    local names = {}
    for _, item in ipairs(schema[LISTS[what]] or {}) do
        if is_named(schema, item, name) then
            return item
        end
        names[#names + 1] = item.name
    end
    local reason = turned_off(schema, what, name)
        or something_else(schema, what, name, chain)
    if reason == nil then
        local hint = suggest.hint(name, names)
        reason = ('no %s %q%s'):format(what, name, hint ~= '' and hint
            or M.there_are(schema, what, chain))
    end
    return nil, ate.error('NOT_FOUND', ('%s: %s'):format(chain, reason))
end

--- What a method's caller may give beside arguments: fields, perhaps none.
-- @tparam table schema
-- @tparam ?table method nil: those of the main schema
-- @treturn table fields
-- @treturn string the schema whose context it is
function M.context(schema, method)
    local front = method ~= nil and method.name:match('^([^.]+)%.')
    local own
    for _, part in ipairs(schema.parts) do
        if part.name == front or part.name == schema.main
            and (own == nil or own.name ~= front) then
            own = part
        end
    end
    return is_set(own.context) and own.context or {}, own.name
end

local function column(field)
    return {name = field.name, right = cell.is_right(field)}
end

local function in_key_order(fields, key)
    local order, seen, by_name = {}, {}, {}
    for _, field in ipairs(fields) do
        by_name[field.name] = field
    end
    for _, name in ipairs(is_set(key) and key or {}) do
        order[#order + 1] = by_name[name]
        seen[name] = true
    end
    for _, field in ipairs(fields) do
        if not seen[field.name] then
            order[#order + 1] = field
        end
    end
    return order
end

--- Columns of a view: its key, then the others.
function M.view_columns(view)
    local columns = {}
    for i, field in ipairs(in_key_order(view.columns, view.key)) do
        columns[i] = column(field)
    end
    return columns
end

--- Whether things of a type are named by fields of theirs.
local function has_key(type_)
    return is_set(type_.key) and #type_.key > 0
end
M.has_key = has_key

--- Columns of a type: key, header, body; facts without key show their place.
function M.type_columns(type_)
    local columns = {}
    if not has_key(type_) then
        columns[1] = {name = 'id'}
    end
    for _, field in ipairs(in_key_order(type_.header or {}, type_.key)) do
        columns[#columns + 1] = column(field)
    end
    local body = is_set(type_.body) and type_.body or {}
    if is_set(body.kind) then
        columns[#columns + 1] = {name = 'body'}
    end
    for _, field in ipairs(body) do
        columns[#columns + 1] = column(field)
    end
    return columns
end

--- Columns of a history: when, by whom and how it changed, then what it was.
function M.history_columns(type_)
    local columns = {}
    for _, name in ipairs({'at', 'time', 'author', 'change'}) do
        columns[#columns + 1] = {name = name, get = function(row)
            return row._ ~= nil and row._[name] or nil
        end}
    end
    for _, item in ipairs(M.type_columns(type_)) do
        if item.name ~= 'id' then
            columns[#columns + 1] = item
        end
    end
    return columns
end

local HASHED = {ref = true, identity = true}

--- The columns that order a view's rows, when people would not see why: the
-- engine orders refs and identities by their hashes.
local function unseen_order(view)
    local kinds = {}
    for _, field in ipairs(view.columns) do
        kinds[field.name] = field.kind
    end
    local names, is_unseen = {}, false
    for _, part in ipairs({'order', 'key'}) do
        for _, name in ipairs(is_set(view[part]) and view[part] or {}) do
            names[#names + 1] = name
            is_unseen = is_unseen or HASHED[kinds[name]] == true
        end
    end
    return is_unseen and names or nil
end

local function comparable(value)
    if not is_set(value) then
        return ''
    end
    return tonumber(value) or tostring(value)
end

--- How to put all rows of a view in the order of what they show.
-- @tparam table view
-- @treturn[1] function for table.sort
-- @treturn[2] nil when the engine's order is that already
function M.row_order(view)
    local names = unseen_order(view)
    if names == nil then
        return nil
    end
    return function(a, b)
        for _, name in ipairs(names) do
            local x, y = comparable(a[name]), comparable(b[name])
            if type(x) ~= type(y) then
                return type(x) == 'number'
            elseif x ~= y then
                return x < y
            end
        end
        return false
    end
end

--- Columns for rows that no schema describes: every name, sorted.
-- @tparam table rows
function M.any_columns(rows)
    local names, seen = {}, {}
    for _, row in ipairs(rows) do
        for name in pairs(row) do
            if name ~= '_' and not seen[name] then
                seen[name] = true
                names[#names + 1] = name
            end
        end
    end
    table.sort(names)
    local columns = {}
    for i, name in ipairs(names) do
        local right = true
        for _, row in ipairs(rows) do
            right = right and type(row[name]) == 'number'
        end
        columns[i] = {name = name, right = right}
    end
    return columns
end

--- Columns of a page: those of its view, then what the method added to rows.
local function page_columns(view, rows)
    local columns, seen = M.view_columns(view), {}
    for _, known in ipairs(columns) do
        seen[known.name] = true
    end
    for _, more in ipairs(M.any_columns(rows)) do
        if not seen[more.name] then
            columns[#columns + 1] = more
        end
    end
    return columns
end

--- Columns of what TYPE.list, TYPE.history and pages of a view give.
-- @tparam table schema
-- @tparam table method
-- @tparam table rows what it gave
-- @treturn[1] table columns
-- @treturn[2] nil of other methods
function M.method_columns(schema, method, rows)
    local returns = is_set(method.returns) and method.returns or {}
    if returns.kind == 'page' then
        local view = M.find(schema, 'view', returns.target, '')
        return view ~= nil and page_columns(view, rows) or nil
    end
    local name, verb = method.name:match('^(.*)%.(%l+)$')
    if method.default ~= true or verb ~= 'list' and verb ~= 'history' then
        return nil
    end
    local type_ = M.find(schema, 'type', name, '')
    if type_ == nil then
        return nil
    end
    return verb == 'list' and M.type_columns(type_) or M.history_columns(type_)
end

return M
