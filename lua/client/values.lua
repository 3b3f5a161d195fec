--- `key=value` words to arguments, by the fields that a schema declares.
--
-- A value is what its field's type says. `key=@FILE` takes the value from a
-- file, `key=@-` from stdin, `key=@@x` is the text `@x`. Lists and structs are
-- JSON; a list of simple values may also be written with commas.
-- @module ate.client.values
local ate = require('ate')
local files = require('ate.client.files')
local suggest = require('ate.client.suggest')

local M = {}

local function invalid(text, ...)
    return nil, ate.error('INVALID', text:format(...))
end

local from_text = {}

function from_text.boolean(text, name)
    if text == 'true' then
        return true
    end
    if text == 'false' then
        return false
    end
    return invalid('%s is true or false, not %q', name, text)
end

-- What is no whole number goes as a text: the engine says what is wrong with it.
function from_text.integer(text)
    local digits = text:gsub('^(%-?)0+(%d)', '%1%2')
    local number = text:match('^%-?%d+$') and ate.json.decode(digits)
    return number or text
end

function from_text.blob(text)
    return ate.bin(text)
end

local function from_json(text, name)
    local value, problem = ate.json.decode(text)
    if value == nil then
        return invalid('%s is no JSON: %s', name, problem)
    end
    return value
end

from_text.struct = from_json

function from_text.list(text, name, field)
    local item = field.item
    local is_simple = item ~= nil and item.kind ~= 'struct'
        and item.kind ~= 'list'
    if not is_simple or text:match('^%s*%[') then
        return from_json(text, name)
    end
    local list = ate.list({})
    if text == '' then
        return list
    end
    for part in (text .. ','):gmatch('([^,]*),') do
        if part == '' then
            return invalid('%s has an item that is empty: %q', name, text)
        end
        local value, err = M.value(item, part, name)
        if value == nil then
            return nil, err
        end
        list[#list + 1] = value
    end
    return list
end

--- The value of one field.
-- @tparam table field {kind, ...}
-- @tparam string text
-- @tparam string name for errors
-- @return[1] value
-- @treturn[2] nil
-- @treturn[2] table err
function M.value(field, text, name)
    local convert = from_text[field.kind]
    if convert == nil then
        return text
    end
    return convert(text, name, field)
end

local function names_of(fields)
    local by_name, names = {}, {}
    for i, field in ipairs(fields) do
        by_name[field.name] = field
        names[i] = field.name
    end
    return by_name, names
end

--- Arguments from words.
-- @tparam table fields
-- @tparam table words such as {'from=alice', 'amount=1'}
-- @tparam string what whose fields, for errors
-- @treturn[1] table
-- @treturn[2] nil
-- @treturn[2] table err, INVALID or what a file gives
function M.args(fields, words, what)
    local by_name, names = names_of(fields)
    local args = {}
    for _, word in ipairs(words) do
        local name, text = word:match('^([^=]+)=(.*)$')
        if name == nil then
            return invalid('%s: %q is not of the form name=value', what, word)
        end
        local field = by_name[name]
        if field == nil then
            return invalid('%s: unknown field %q%s', what, name,
                suggest.hint_or_list(name, names))
        end
        if args[name] ~= nil then
            return invalid('%s: %q is given twice', what, name)
        end
        local err
        if text:sub(1, 2) == '@@' then
            text = text:sub(2)
        elseif text:sub(1, 1) == '@' then
            text, err = files.read_or_stdin(what .. ': ' .. name,
                text:sub(2))
            if text == nil then
                return nil, err
            end
        end
        args[name], err = M.value(field, text, what .. ': ' .. name)
        if args[name] == nil then
            return nil, err
        end
    end
    return args
end

return M
