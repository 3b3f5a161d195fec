--- Data in the syntax of Lua: one table of texts, numbers, booleans, tables.
--
-- It is read and never run. What is no such data is an error that names line
-- and column.
-- @module ate.client.literal
local ate = require('ate')

local M = {}
local Reader = {}
Reader.__index = Reader

local DEPTH_MAX = 16
local TEXT_MAX = 1024 * 1024
local ESCAPES = {n = '\n', t = '\t', r = '\r', a = '\a', b = '\b', f = '\f',
    v = '\v', ['\\'] = '\\', ['"'] = '"', ["'"] = "'", ['\n'] = '\n'}
local WORDS = {['true'] = true, ['false'] = false}
local KEYWORDS = {}
for word in ('and break do else elseif end for function goto if in local nil '
    .. 'not or repeat return then until while true false'):gmatch('%S+') do
    KEYWORDS[word] = true
end

local function place(text, at)
    local line, start = 1, 1
    for stop in text:sub(1, at - 1):gmatch('()\n') do
        line, start = line + 1, stop + 1
    end
    return line, at - start + 1
end

--- What is raised within the reader alone.
function Reader:fail(why, ...)
    local line, column = place(self.text, self.at)
    error({place = ('%s:%d:%d'):format(self.name, line, column),
        why = why:format(...)}, 0)
end

--- Take what a pattern finds here.
function Reader:take(pattern)
    local found, stop = self.text:match('^(' .. pattern .. ')()', self.at)
    if found ~= nil then
        self.at = stop
    end
    return found
end

--- The end of `[==[...]==]`, which stands here.
function Reader:take_long()
    local level = self.text:match('^%[(=*)%[', self.at)
    if level == nil then
        return nil
    end
    local start = self.at + #level + 2
    local stop = self.text:find(']' .. level .. ']', start, true)
    if stop == nil then
        self:fail('what begins here has no end')
    end
    self.at = stop + #level + 2
    return (self.text:sub(start, stop - 1):gsub('^\r?\n', ''))
end

--- Pass blanks and comments.
function Reader:skip()
    repeat
        self:take('%s*')
        local comment = self:take('%-%-')
        if comment ~= nil and self:take_long() == nil then
            self:take('[^\n]*')
        end
    until comment == nil
end

function Reader:take_escape()
    local digits = self:take('%d%d?%d?')
    if digits ~= nil then
        local byte = tonumber(digits)
        if byte > 255 then
            self:fail('\\%s is no byte', digits)
        end
        return string.char(byte)
    end
    local hex = self:take('x%x%x')
    if hex ~= nil then
        return string.char(tonumber(hex:sub(2), 16))
    end
    local c = ESCAPES[self.text:sub(self.at, self.at)]
    if c == nil then
        self:fail('a text knows no such escape')
    end
    self.at = self.at + 1
    return c
end

function Reader:take_quoted()
    local quote = self:take('["\']')
    if quote == nil then
        return nil
    end
    local parts = {}
    while true do
        parts[#parts + 1] = self:take('[^\\\n"\']*')
        local c = self:take('.')
        if c == quote then
            return table.concat(parts)
        elseif c == '\\' then
            parts[#parts + 1] = self:take_escape()
        elseif c == '"' or c == "'" then
            parts[#parts + 1] = c
        else
            self:fail('the text has no end on its line')
        end
    end
end

function Reader:take_number()
    local text = self:take('%-?[%d.][%w.]*')
    if text == nil then
        return nil
    end
    local number = tonumber(text)
    if number == nil then
        self:fail('%s is no number', text)
    end
    return number
end

function Reader:value()
    if self.text:sub(self.at, self.at) == '{' then
        return self:table()
    end
    local value = self:take_quoted()
    if value == nil then
        value = self:take_long()
    end
    if value == nil then
        value = self:take_number()
    end
    if value ~= nil then
        return value
    end
    local word = self.text:match('^[%a_][%w_]*', self.at)
    if word ~= nil and WORDS[word] ~= nil then
        self.at = self.at + #word
        return WORDS[word]
    end
    return self:fail("%s is no data: want a text, a number, true, false or "
        .. "{...}", word ~= nil and "'" .. word .. "'" or 'this')
end

--- `name =` or `['text'] =`; nil: an item of a list stands here.
function Reader:take_key()
    local start = self.at
    local name = self:take('[%a_][%w_]*')
    if name ~= nil then
        self:skip()
        if self.text:match('^=[^=]', self.at) == nil then
            self.at = start
            return nil
        elseif KEYWORDS[name] then
            self.at = start
            self:fail("'%s' is a word of Lua; write ['%s'] = ...", name, name)
        end
    elseif self.text:match('^%[[^%[=]', self.at) ~= nil then
        self.at = self.at + 1
        self:skip()
        name = self:take_quoted()
        if name == nil then
            self:fail('a key is a text')
        end
        self:skip()
        if self:take('%]') == nil then
            self:fail("a ']' is missing")
        end
    else
        return nil
    end
    self:skip()
    if self:take('=') == nil then
        self:fail("a '=' is missing")
    end
    self:skip()
    return name
end

function Reader:table()
    local made, places, count = {}, {}, 0
    self.places[made] = places
    self.depth = self.depth + 1
    if self.depth > DEPTH_MAX then
        self:fail('tables stand in each other more than %d deep', DEPTH_MAX)
    end
    self:take('{')
    self:skip()
    while self:take('}') == nil do
        local start = self.at
        local line, column = place(self.text, start)
        local key = self:take_key()
        if key == nil then
            count = count + 1
            key = count
        elseif made[key] ~= nil then
            self.at = start
            self:fail("'%s' stands here twice", key)
        end
        made[key] = self:value()
        places[key] = ('%s:%d:%d'):format(self.name, line, column)
        self:skip()
        if self:take('[,;]') == nil and self.text:sub(self.at, self.at) ~= '}'
        then
            self:fail("want ',' or '}'")
        end
        self:skip()
    end
    self.depth = self.depth - 1
    return made
end

local function read_all(self)
    self:skip()
    self:take('return%f[^%w_]')
    self:skip()
    if self.text:sub(self.at, self.at) ~= '{' then
        self:fail('want a table: return {...}')
    end
    local value = self:table()
    self:skip()
    self:take(';')
    self:skip()
    if self.at <= #self.text then
        self:fail('something stands behind the table')
    end
    return value
end

--- Read a text.
-- @tparam string text `return {...}`; the word may be left out
-- @tparam string name for errors
-- @treturn[1] table
-- @treturn[1] table places of its keys: places[table][key] = 'name:line:column'
-- @treturn[2] nil
-- @treturn[2] table err INVALID
function M.read(text, name)
    if #text > TEXT_MAX then
        return nil, ate.error('INVALID', ('%s: more than %d bytes'):format(name,
            TEXT_MAX))
    end
    local reader = setmetatable({text = text, name = name, at = 1, depth = 0,
        places = {}}, Reader)
    local ok, value = pcall(read_all, reader)
    if ok then
        return value, reader.places
    end
    if type(value) ~= 'table' or value.why == nil then
        error(value, 0)
    end
    return nil, ate.error('INVALID', value.place .. ': ' .. value.why)
end

return M
