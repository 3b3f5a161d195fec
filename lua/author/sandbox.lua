---@meta
-- The globals that a schema has, in place of Lua's own: everything a rule says
-- has to be the same on every machine. docs/schema.md, section 6, is the
-- reference, and says what to use instead of what is missing.

---End the run, and undo it, unless the value is true.
---@generic T
---@param value T
---@param text? string
---@return T
function assert(value, text) end

---End the run, and undo it; nothing catches an error.
---@param text string
---@param level? integer
function error(text, level) end

---For `for i, value in ...`.
---@generic T
---@param list T[]
---@return fun(list: T[], i: integer): integer, T
---@return T[] list
---@return integer i
function ipairs(list) end

---A module of the bundle; only while it is loaded.
---@param name string
---@return any
function require(name) end

---@param n integer|'#'
---@param ... any
---@return any ...
function select(n, ...) end

---A plain decimal, or an integer in a base of 2 to 36; nil for anything else.
---@param x any
---@param base? integer
---@return number?
function tonumber(x, base) end

---Of nil, a boolean, a number or a text.
---@param x nil|boolean|number|string
---@return string
function tostring(x) end

---@param x any
---@return 'nil'|'boolean'|'number'|'string'|'table'|'function'|'userdata'
function type(x) end

---At most 200 values.
---@generic T
---@param list T[]
---@param first? integer
---@param last? integer
---@return T ...
function unpack(list, first, last) end

---Texts. The same functions are methods of a text: `name:upper()`.
---@class stringlib
string = {}

---@param s string
---@return integer
function string.len(s) end

---@param s string
---@param i integer
---@param j? integer
---@return string
function string.sub(s, i, j) end

---@param s string
---@param n integer
---@return string
function string.rep(s, n) end

---At most 200 values.
---@param s string
---@param i? integer
---@param j? integer
---@return integer ...
function string.byte(s, i, j) end

---@param ... integer
---@return string
function string.char(...) end

---Of the letters a to z.
---@param s string
---@return string
function string.lower(s) end

---Of the letters a to z.
---@param s string
---@return string
function string.upper(s) end

---First and last position of a part, or nil.
---@param s string
---@param part string plain text, never a pattern
---@param first? integer
---@return integer? first
---@return integer? last
function string.find(s, part, first) end

---Parts; the last of at most `most` holds the rest.
---@param s string
---@param separator string
---@param most? integer
---@return string[]
function string.split(s, separator, most) end

---@param s string
---@param part string
---@return boolean
function string.starts(s, part) end

---@param s string
---@param part string
---@return boolean
function string.ends(s, part) end

---Without white space on both sides.
---@param s string
---@return string
function string.trim(s) end

---`%d`, `%x`, `%s` and `%%`, with `-`, `0` and a width.
---@param form string
---@param ... any
---@return string
function string.format(form, ...) end

---@class tablelib
table = {}

---@param list any[]
---@param position integer
---@param value any
---@overload fun(list: any[], value: any)
function table.insert(list, position, value) end

---@generic T
---@param list T[]
---@param position? integer
---@return T?
function table.remove(list, position) end

---@param list (string|number)[]
---@param separator? string
---@param first? integer
---@param last? integer
---@return string
function table.concat(list, separator, first, last) end

---In place, and stable; without `less` all are numbers or all are texts.
---@generic T
---@param list T[]
---@param less? fun(a: T, b: T): boolean
function table.sort(list, less) end

---The same as `unpack`.
---@generic T
---@param list T[]
---@param first? integer
---@param last? integer
---@return T ...
function table.unpack(list, first, last) end

---@class mathlib
math = {}

---@param x number
---@return integer
function math.floor(x) end

---@param x number
---@return integer
function math.ceil(x) end

---@generic N: number
---@param x N
---@return N
function math.abs(x) end

---@generic N: number
---@param x N
---@param ... N
---@return N
function math.min(x, ...) end

---@generic N: number
---@param x N
---@param ... N
---@return N
function math.max(x, ...) end

---@param x number
---@param y number
---@return number
function math.fmod(x, y) end

---32 bits, as in LuaJIT.
---@class bitlib
bit = {}

---@param x integer
---@return integer
function bit.tobit(x) end

---@param x integer
---@return integer
function bit.bnot(x) end

---@param x integer
---@param ... integer
---@return integer
function bit.band(x, ...) end

---@param x integer
---@param ... integer
---@return integer
function bit.bor(x, ...) end

---@param x integer
---@param ... integer
---@return integer
function bit.bxor(x, ...) end

---@param x integer
---@param n integer
---@return integer
function bit.lshift(x, n) end

---@param x integer
---@param n integer
---@return integer
function bit.rshift(x, n) end

---@param x integer
---@param n integer
---@return integer
function bit.arshift(x, n) end

---@param x integer
---@param n integer
---@return integer
function bit.rol(x, n) end

---@param x integer
---@param n integer
---@return integer
function bit.ror(x, n) end
