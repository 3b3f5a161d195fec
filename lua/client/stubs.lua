--- What an editor is told of a schema, in the words of lua-language-server.
--
-- The text declares classes and nothing else. `ate.schema('bank', ...)` gives a
-- `bank.Schema`, whose functions know by the names in it what a rule, a fold or
-- a method is given. A class that is no record begins with a capital letter
-- behind the last dot, which no name of a schema does, so none meets another.
-- @module ate.client.stubs
local ate = require('ate')

local M = {}

local function is_set(value)
    return value ~= nil and value ~= ate.null
end

-- ---- names ----

--- Where a declaration belongs: the schema and its name there.
local function split(schema, name)
    local part, rest = name:match('^([^.]+)%.(.+)$')
    if part == nil then
        return schema.main, name
    end
    return part, rest
end

--- The full name of a declaration, which is also its class.
local function full(schema, name)
    local part, rest = split(schema, name)
    return part .. '.' .. rest
end

--- The declarations of a list that belong to a part: {name, item}.
local function of_part(schema, list, part)
    local found = {}
    for _, item in ipairs(list) do
        local owner, name = split(schema, item.name)
        if owner == part and item.default ~= true then
            found[#found + 1] = {name = name, item = item}
        end
    end
    return found
end

-- ---- types of values ----

local KINDS = {
    text = 'string', name = 'string', boolean = 'boolean',
    integer = 'integer', amount = 'integer', date = 'ate.Date',
    month = 'ate.Month', time = 'integer', identity = 'ate.Identity',
    event_type = 'string',
}

local value_type

--- A field behind its name: `name?: string`.
local function field(schema, item, given)
    local may_lack = is_set(item.optional)
        or given and is_set(item.default)
    return ('%s%s: %s'):format(item.name, may_lack and '?' or '',
        value_type(schema, item, given))
end

-- A blob that may have more is put before the call, and stands there as a
-- handle (docs/schema.md, large bodies).
local BODY_MAX = 65536

local MAKE = {}

function MAKE.blob(_, type_)
    return type_.max > BODY_MAX and '(string|ate.Handle)' or 'string'
end

function MAKE.enum(_, type_)
    local words = {}
    for i, word in ipairs(type_.words) do
        words[i] = ("'%s'"):format(word)
    end
    return '(' .. table.concat(words, '|') .. ')'
end

function MAKE.ref(_, _, given)
    return given and 'ate.Key' or 'ate.Ref'
end

function MAKE.struct(schema, type_, given)
    local fields = {}
    for i, item in ipairs(type_.fields) do
        fields[i] = field(schema, item, given)
    end
    return '{' .. table.concat(fields, ', ') .. '}'
end

function MAKE.list(schema, type_, given)
    return value_type(schema, type_.item, given) .. '[]'
end

function MAKE.page(schema, type_)
    return full(schema, type_.target) .. '[]'
end

--- A value's type.
-- @tparam table type_ as a schema describes it
-- @tparam boolean given to the engine, which takes more than it gives
function value_type(schema, type_, given)
    return KINDS[type_.kind] or MAKE[type_.kind](schema, type_, given)
end

-- ---- classes ----

local Text = {}
Text.__index = Text

--- One line.
function Text:add(form, ...)
    self[#self + 1] = select('#', ...) > 0 and form:format(...) or form
end

local function one_line(text)
    return (text:gsub('%s+', ' '))
end

--- Begin a class.
function Text:class(name, base, doc)
    self:add('')
    if is_set(doc) then
        self:add('---%s', one_line(doc))
    end
    self:add('---@class %s%s', name, base and ': ' .. base or '')
end

--- One field of a class, from the description of a value.
function Text:field(schema, item, given, note)
    local may_lack = is_set(item.optional) or given and is_set(item.default)
    local doc = is_set(item.doc) and ' ' .. one_line(item.doc) or ''
    self:add('---@field %s%s %s%s%s', item.name, may_lack and '?' or '',
        value_type(schema, item, given), doc, note or '')
end

--- The fields of a body: a list of them, or one that is called `body`.
local function body_fields(type_)
    local body = type_.body
    if not is_set(body) then
        return {}
    end
    if body.kind == nil then
        return body
    end
    local one = {name = 'body'}
    for key, value in pairs(body) do
        one[key] = value
    end
    return {one}
end

local function add_type(text, schema, type_)
    local class = full(schema, type_.name)
    text:class(class, 'ate.Record', type_.doc)
    if type_.kind == 'object' then
        text:add('---@field before? %s', class)
    end
    for _, item in ipairs(type_.header) do
        text:field(schema, item, false)
    end
    for _, item in ipairs(body_fields(type_)) do
        text:field(schema, item, false, ' (body: not in rules)')
    end
    text:class(class .. '.Fields', nil, 'What it is made from.')
    for _, list in ipairs({type_.header, body_fields(type_)}) do
        for _, item in ipairs(list) do
            text:field(schema, item, true)
        end
    end
    text:class(class .. '.State', 'ate.TypeState')
    text:add('---@field get fun(self: %s.State, key: ate.Key): %s?', class,
        class)
    text:add('---@field each fun(self: %s.State, parent?: ate.Key, '
        .. 'options?: ate.EachOptions): fun(): %s', class, class)
end

--- Is there always a row, of defaults where it is absent?
local function has_defaults(view)
    local is_key, others = {}, 0
    for _, name in ipairs(view.key) do
        is_key[name] = true
    end
    for _, column in ipairs(view.columns) do
        if not is_key[column.name] then
            others = others + 1
            if not is_set(column.default) then
                return false
            end
        end
    end
    return others > 0
end

--- What folds of a view get and give.
local function add_view(text, schema, view)
    local class = full(schema, view.name)
    local row = has_defaults(view) and class or class .. '?'
    text:class(class, nil, view.doc)
    for _, item in ipairs(view.columns) do
        text:field(schema, item, false)
    end
    text:class(class .. '.Columns', nil, 'Some columns of it.')
    for _, item in ipairs(view.columns) do
        text:add('---@field %s? %s', item.name, value_type(schema, item, true))
    end
    text:class(class .. '.State', 'ate.ViewState')
    text:add('---@field get fun(self: %s.State, key: ate.Key): %s', class, row)
    text:add('---@field each fun(self: %s.State, prefix?: ate.Key, '
        .. 'options?: ate.EachOptions): fun(): %s', class, class)
    text:class(class .. '.Rows', 'ate.Rows')
    text:add('---@field get fun(self: %s.Rows, key: ate.Key): %s', class, row)
    for _, verb in ipairs({'set', 'add'}) do
        text:add('---@field %s fun(self: %s.Rows, key: ate.Key, columns: '
            .. '%s.Columns)', verb, class, class)
    end
end

--- A view as it is declared: folds of the types that its part may name.
local function add_view_declaration(text, schema, view, part)
    local class = full(schema, view.name)
    text:class(class .. '.Fold')
    for _, type_ in ipairs(schema.types) do
        local owner, name = split(schema, type_.name)
        local key = owner == part and name
            or ("['%s']"):format(full(schema, type_.name))
        text:add('---@field %s? fun(rows: %s.Rows, event: %s, tx: ate.FoldTx)',
            key, class, full(schema, type_.name))
    end
    text:class(class .. '.View', 'ate.View')
    text:add('---@field fold %s.Fold', class)
end

local function add_rule(text, schema, rule, part)
    local events = {}
    for i, name in ipairs(rule.on) do
        events[i] = full(schema, name)
    end
    local event = rule.per == 'transaction' and ''
        or (', event: %s'):format(table.concat(events, '|'))
    text:class(full(schema, rule.name) .. '.Rule', 'ate.Rule')
    text:add('---@field check fun(state: %s.State%s, tx: ate.Tx): '
        .. 'boolean|ate.Denial', part, event)
end

local function add_method(text, schema, method, part)
    local class = full(schema, method.name)
    text:class(class .. '.Args', nil, method.doc)
    for _, item in ipairs(method.args or {}) do
        -- What was left out has its default when the method runs.
        text:field(schema, item, false)
    end
    local result = is_set(method.returns)
        and ': ' .. value_type(schema, method.returns, true)
        .. (is_set(method.returns.optional) and '|nil' or '') or ''
    text:class(class .. '.Method', 'ate.Method')
    text:add('---@field run fun(ctx: %s.Ctx, args: %s.Args)%s', part, class,
        result)
end

--- State of a part: its own names, and those of other parts below theirs.
local function add_state(text, schema, part)
    text:class(part .. '.State', 'ate.State')
    for _, list in ipairs({schema.types, schema.views}) do
        for _, found in ipairs(of_part(schema, list, part)) do
            text:add('---@field %s %s.State', found.name,
                full(schema, found.item.name))
        end
    end
    for _, other in ipairs(schema.parts) do
        if other.name ~= part then
            text:add('---@field %s %s.State', other.name, other.name)
        end
    end
end

--- What callers say beside arguments. What was left out has its default.
local function add_context(text, schema, part)
    if not is_set(part.context) then
        return
    end
    text:class(part.name .. '.Data', nil, 'The context of a call.')
    for _, item in ipairs(part.context) do
        text:field(schema, item, false)
    end
end

--- What methods of a part work with. A function for each type that it may name.
local function add_ctx(text, schema, part, has_context)
    local class = part .. '.Ctx'
    text:class(class, 'ate.Ctx')
    text:add('---@field state %s.State', part)
    if has_context then
        text:add('---@field data %s.Data', part)
    end
    for _, type_ in ipairs(schema.types) do
        local owner, short = split(schema, type_.name)
        local record = full(schema, type_.name)
        local name = owner == part and short or record
        local front = ("fun(self: %s, type: '%s'"):format(class, name)
        text:add('---@field get %s, key: ate.Key): %s?', front, record)
        if type_.kind == 'object' then
            for _, verb in ipairs({'create', 'put'}) do
                text:add('---@field %s %s, fields: %s.Fields): %s', verb,
                    front, record, record)
            end
            text:add('---@field patch %s, key: ate.Key, fields: table): %s',
                front, record)
        else
            text:add('---@field emit %s, fields: %s.Fields): ate.Ref', front,
                record)
        end
    end
end

--- The schema itself, whose functions go by the names of declarations.
local function add_schema(text, schema, part)
    local class = part.name .. '.Schema'
    text:class(class, 'ate.Schema', part.doc)
    for _, kind in ipairs({'view', 'rule', 'method'}) do
        local list = schema[kind .. 's']
        for _, found in ipairs(of_part(schema, list, part.name)) do
            text:add("---@field %s fun(self: %s, name: '%s', %s: %s.%s)", kind,
                class, found.name, kind, full(schema, found.item.name),
                kind:gsub('^%l', string.upper))
        end
        text:add('---@field %s fun(self: %s, name: string, %s: ate.%s)', kind,
            class, kind, (kind:gsub('^%l', string.upper)))
    end
end

local function add_part(text, schema, part)
    local name = part.name
    add_state(text, schema, name)
    add_context(text, schema, part)
    add_ctx(text, schema, name, is_set(part.context))
    for _, found in ipairs(of_part(schema, schema.views, name)) do
        add_view_declaration(text, schema, found.item, name)
    end
    for _, found in ipairs(of_part(schema, schema.rules, name)) do
        add_rule(text, schema, found.item, name)
    end
    for _, found in ipairs(of_part(schema, schema.methods, name)) do
        add_method(text, schema, found.item, name)
    end
    add_schema(text, schema, part)
end

--- The stubs of a schema, those that it requires among them.
-- @tparam table schema as `ate check --json` describes it
-- @treturn string a file of Lua that declares classes and does nothing
function M.text(schema)
    local text = setmetatable({}, Text)
    text:add('---@meta')
    text:add('-- Made by `ate check %s.lua --stubs`, for an editor: changes '
        .. 'are lost.', schema.main)
    for _, type_ in ipairs(schema.types) do
        add_type(text, schema, type_)
    end
    for _, view in ipairs(schema.views) do
        add_view(text, schema, view)
    end
    for _, part in ipairs(schema.parts) do
        add_part(text, schema, part)
    end
    text:class('ate')
    for _, part in ipairs(schema.parts) do
        text:add("---@field schema fun(name: '%s', options: "
            .. 'ate.SchemaOptions): %s.Schema', part.name, part.name)
    end
    text:add('')
    return table.concat(text, '\n')
end

return M
