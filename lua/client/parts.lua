--- What a schema has, for people: types, views, rules, methods.
-- @module ate.client.parts
local ate = require('ate')
local grid = require('ate.client.grid')
local shape = require('ate.client.shape')

local M = {}

local KINDS = {{'types', 'type'}, {'views', 'view'}, {'rules', 'rule'},
    {'methods', 'method'}}

local function field_text(field)
    local parts = {field.kind}
    if type(field.target) == 'string' then
        parts[#parts + 1] = 'to ' .. field.target
    end
    if ate.is_list(field.words) then
        parts[#parts + 1] = table.concat(field.words, '|')
    end
    if field.optional == true then
        parts[#parts + 1] = 'optional'
    end
    if type(field.doc) == 'string' then
        parts[#parts + 1] = '- ' .. field.doc
    end
    return ate.text.printable(table.concat(parts, ' '))
end

local function print_fields(out, fields)
    local lines = {}
    for _, field in ipairs(fields or {}) do
        if type(field) == 'table' then
            lines[#lines + 1] = {'  ' .. field.name, field_text(field)}
        end
    end
    out:write(grid.facts(lines))
end

local function text_of(value)
    return type(value) == 'string' and value or ''
end

local function print_item(out, what, item)
    local key = item.header ~= nil and shape.has_key(item)
        and ', key ' .. table.concat(item.key, '/') or ''
    out:line(('%s %s%s: %s'):format(what, item.name, key, text_of(item.doc)))
    if type(item.text) == 'string' then
        out:line('  refuses with: ' .. item.text)
    end
    local fields = {}
    for _, field in ipairs(item.args or item.columns or item.header or {}) do
        fields[#fields + 1] = field
    end
    local body = shape.is_set(item.body) and item.body or {}
    if shape.is_set(body.kind) then
        fields[#fields + 1] = {name = 'body', kind = body.kind}
    end
    for _, field in ipairs(body) do
        fields[#fields + 1] = field
    end
    print_fields(out, fields)
end

--- Whatever has a name.
-- @tparam table schema
-- @tparam string name
-- @treturn table list of {part: `type`, `view`, `rule`, `method`, ...}, mostly
-- of one
function M.named(schema, name)
    local list = ate.list({})
    for _, kind in ipairs(KINDS) do
        for _, item in ipairs(schema[kind[1]] or {}) do
            if item.name == name then
                local copy = {part = kind[2]}
                for key, value in pairs(item) do
                    copy[key] = value
                end
                list[#list + 1] = copy
            end
        end
    end
    return list
end

--- Print what named() gave: doc, fields or arguments.
-- @tparam table out
-- @tparam table list
function M.print_named(out, list)
    for _, item in ipairs(list) do
        print_item(out, item.part, item)
    end
end

--- All names of a schema.
-- @tparam table schema
-- @treturn table list
function M.names(schema)
    local names = {}
    for _, kind in ipairs(KINDS) do
        for _, item in ipairs(schema[kind[1]] or {}) do
            names[#names + 1] = item.name
        end
    end
    return names
end

--- The methods that each type has by itself: `account.create, get, put`.
local function default_lines(schema)
    local lines, by_type = {}, {}
    for _, method in ipairs(schema.methods or {}) do
        local front, verb = method.name:match('^(.*)%.([^.]+)$')
        if method.default == true and by_type[front] == nil then
            by_type[front] = #lines + 1
            lines[#lines + 1] = {front, method.name}
        elseif method.default == true then
            local line = lines[by_type[front]]
            line[2] = line[2] .. ', ' .. verb
        end
    end
    for _, line in ipairs(lines) do
        line[1] = 'methods of ' .. line[1] .. ':'
    end
    return lines
end

--- Print a whole schema.
-- @tparam table out
-- @tparam table schema
function M.print(out, schema)
    for _, part in ipairs(schema.parts or {}) do
        out:line(('schema %s %d: %s'):format(part.name, part.version,
            text_of(part.doc)))
    end
    for _, kind in ipairs(KINDS) do
        for _, item in ipairs(schema[kind[1]] or {}) do
            if item.default ~= true then
                local mode = kind[2] == 'method' and item.mode == 'read'
                    and 'reading method' or kind[2]
                out:write('\n')
                print_item(out, mode, item)
            end
        end
    end
    local lines = default_lines(schema)
    if #lines > 0 then
        out:write('\n' .. grid.facts(lines))
    end
end

return M
