---@meta ate
-- What `require('ate')` gives the author of a schema, for an editor with
-- lua-language-server. docs/schema.md is the reference; nothing here runs.

---The language of schemas.
---@class ate
---@field types ate.types
---@field int ate.int
---@field date ate.date
---@field time ate.time
---@field text ate.text
---@field hash ate.hash
---@field schema fun(name: string, options: ate.SchemaOptions): ate.Schema
local ate = {}

---Walk a table in the order of its keys, numbers before texts.
---@generic K, V
---@param table table<K, V>
---@return fun(): K, V
function ate.each(table) end

---What a rule returns to refuse; the values fill its `text`.
---@param values? table<string, any>
---@return ate.Denial
function ate.deny(values) end

---@class ate.Denial

---32 bytes that mean nothing to Lua: a key, a user or a group.
---@alias ate.Identity string

---17 bytes that mean nothing to Lua, and name an object or a fact.
---@alias ate.Ref string

---What names an object or a row: a ref, a record, its text key, or a table of
---its key fields or columns.
---@alias ate.Key string|number|table

---A large body, whose bytes Lua never sees; it was put before the call.
---@class ate.Handle
---@field hash string 32 bytes
---@field length integer

---A day, '2026-11-22'.
---@alias ate.Date string

---A month, '2026-11'.
---@alias ate.Month string

-- ---- types ----

---The type of a field, as the functions of `ate.types` make it.
---@class ate.Type

---@alias ate.Fields table<string, ate.Type>

---@class ate.Doc
---@field doc? string what a value means, for people

---@class ate.Bounds: ate.Doc
---@field min? integer
---@field max? integer

---@class ate.AmountOptions: ate.Bounds
---@field scale? integer digits behind the point
---@field of? string a field beside it, a ref to what has a field `scale`

---The types of fields. Options are the last argument.
---@class ate.types
local types = {}

---UTF-8 with line feeds and tabs; `min` and `max` count bytes.
---@param options? ate.Bounds
---@return ate.Type
function types.text(options) end

---A segment of a path: no '/', no control characters, no '.' in front.
---@param options? ate.Bounds
---@return ate.Type
function types.name(options) end

---Bytes.
---@param options? ate.Bounds
---@return ate.Type
function types.blob(options) end

---`true` or `false`.
---@param options? ate.Doc
---@return ate.Type
function types.boolean(options) end

---A whole number up to 2^53 either way.
---@param options? ate.Bounds
---@return ate.Type
function types.integer(options) end

---Money and other decimals: '12.50' at every door, 1250 in Lua.
---@param options ate.AmountOptions
---@return ate.Type
function types.amount(options) end

---One of a list of words.
---@param words string[]
---@param options? ate.Doc
---@return ate.Type
function types.enum(words, options) end

---A day, '2026-11-22'.
---@param options? ate.Doc
---@return ate.Type
function types.date(options) end

---A month, '2026-11'.
---@param options? ate.Doc
---@return ate.Type
function types.month(options) end

---A time of the log, in milliseconds since 1970.
---@param options? ate.Doc
---@return ate.Type
function types.time(options) end

---Who: a key, a user or a group.
---@param options? ate.Doc
---@return ate.Type
function types.identity(options) end

---Names an object or a fact of a type.
---@param type string 'account', or of another schema 'coins.wallet'
---@param options? ate.Doc
---@return ate.Type
function types.ref(type, options) end

---The full name of a type of this chain, 'escrow.settled'.
---@param options? ate.Doc
---@return ate.Type
function types.event_type(options) end

---Fields in one value.
---@param fields ate.Fields
---@param options? ate.Doc
---@return ate.Type
function types.struct(fields, options) end

---Values of one type; `min` and `max` count them.
---@param item ate.Type
---@param options? ate.Bounds
---@return ate.Type
function types.list(item, options) end

---May be absent.
---@param type ate.Type
---@return ate.Type
function types.optional(type) end

---Is given when left out; the value is in its Lua form, 1250 for '12.50'.
---@param type ate.Type
---@param value any
---@return ate.Type
function types.default(type, value) end

---No later version of the object changes it.
---@param type ate.Type
---@return ate.Type
function types.once(type) end

---The fields of a type, header and body, as the `args` of a method.
---@param type string
---@return ate.Fields
function types.fields(type) end

---What a method `returns` that gives rows of a view.
---@param view string
---@return ate.Type
function types.page(view) end

-- ---- declarations ----

---@class ate.SchemaOptions
---@field doc string
---@field version integer grows with the schema, from 1
---@field bodies? 'open'|'sealed'
---@field context? ate.Fields what a caller supplies beside the arguments

---A schema; each of its functions makes one declaration.
---@class ate.Schema
---@field view fun(self: ate.Schema, name: string, view: ate.View)
---@field rule fun(self: ate.Schema, name: string, rule: ate.Rule)
---@field method fun(self: ate.Schema, name: string, method: ate.Method)
local schema = {}

---What has an identity and changes.
---@param name string
---@param object ate.Object
function schema:object(name, object) end

---A fact: appended, and never changed or deleted.
---@param name string
---@param event ate.Event
function schema:event(name, event) end

---What happens when an event came, or when a time has passed.
---@param name string
---@param worker ate.Worker
function schema:worker(name, worker) end

---@alias ate.DefaultMethod
---| 'create'
---| 'put'
---| 'patch'
---| 'delete'
---| 'append'
---| 'get'
---| 'list'
---| 'history'
---| 'watch'

---@class ate.Object
---@field doc string
---@field key string[] fields of the header that, with the parent, name one
---@field parent? string a field of the header, a ref: what this belongs to
---@field header? ate.Fields what every node reads, and rules and views see
---@field body? ate.Fields|ate.Type what rules never see
---@field off? ate.DefaultMethod[]
---@field with? string a type that has to come in the same transaction
---@field rights? table<string, string> what `tx:may` asks for, with its doc
---@field keep? fun(header: ate.Record, kept: any): boolean
---@field upgrade? table<integer, fun(old: table): table>

---@class ate.Event
---@field doc string
---@field key? string[] without it, one is named by its place in the log
---@field parent? string a field of the header, a ref: what this belongs to
---@field header? ate.Fields what every node reads, and rules and views see
---@field body? ate.Fields|ate.Type what rules never see
---@field off? ate.DefaultMethod[]
---@field with? string a type that has to come in the same transaction
---@field erasable? boolean its body may be erased
---@field keep? fun(header: ate.Record, kept: any): boolean
---@field upgrade? table<integer, fun(old: table): table>

---@class ate.View
---@field doc string
---@field key string[] columns that tell rows apart
---@field row ate.Fields
---@field fold table<string, fun(rows: ate.Rows, event: ate.Record, tx: ate.FoldTx)>
---@field order? string[] columns; rows stand in their order, then in the key's
---@field reads? 'headers'|'bodies'

---@class ate.Rule
---@field doc string
---@field on string[] types that it judges
---@field check fun(state: ate.State, event: any, tx: ate.Tx): boolean|ate.Denial
---@field per? 'event'|'transaction'
---@field text? string what it says when it refuses, '{from} is not yours'
---@field says? ate.Fields types of values of `text` that are no fields

---@class ate.Method
---@field doc string
---@field mode 'read'|'write'
---@field run fun(ctx: ate.Ctx, args: table): any
---@field args? ate.Fields
---@field returns? ate.Type
---@field runs? 'both'|'server'|'client'
---@field rest? string 'POST /accounts/{from}/transfers'
---@field file? string 'accounts/{from}/transfer'
---@field content? string the argument that is the whole of a request or file

---@class ate.Worker
---@field doc string
---@field run fun(ctx: ate.Ctx, event: table)
---@field on? string[] types
---@field due? string[] a view, and its column of times

-- ---- what functions get ----

---An event, or a version of an object, with its fields.
---@class ate.Record
---@field id ate.Ref
---@field type string the full name of its type
---@field change? 'new'|'edit'|'delete' in rules and folds, of an object
---@field before? ate.Record the version before
---@field [string] any

---@class ate.EachOptions
---@field after? ate.Key what stands behind it
---@field limit? integer
---@field order? 'first'|'last_first'

---Rows of a view: `state.balance`.
---@class ate.ViewState
local view_state = {}

---The row; one of defaults, or nil, when it is absent.
---@param key ate.Key
---@return table?
function view_state:get(key) end

---For `for row in ...`.
---@param prefix? ate.Key
---@param options? ate.EachOptions
---@return fun(): table
function view_state:each(prefix, options) end

---The sum of a column.
---@param column string
---@param prefix? ate.Key
---@return integer
function view_state:sum(column, prefix) end

---How many rows.
---@param prefix? ate.Key
---@return integer
function view_state:count(prefix) end

---Objects or facts of a type: `state.account`.
---@class ate.TypeState
local type_state = {}

---The record, or nil when it is not there.
---@param key ate.Key
---@return ate.Record?
function type_state:get(key) end

---For `for record in ...`.
---@param parent? ate.Key
---@param options? ate.EachOptions
---@return fun(): ate.Record
function type_state:each(parent, options) end

---How many.
---@param parent? ate.Key
---@return integer
function type_state:count(parent) end

---Views and types by name; those of other schemas below their schema's name.
---@class ate.State
---@field [string] any

---The transaction, as folds see it.
---@class ate.FoldTx
---@field author ate.Identity whose key signed
---@field caller ate.Identity who is acted for, else the author
---@field time integer log time, in milliseconds
---@field index integer the place in the log

---The transaction, as rules see it.
---@class ate.Tx: ate.FoldTx
---@field worker? string the worker whose work this is
local tx = {}

---Is this the author, a co-author, or whom the author may act for here?
---@param identity ate.Identity
---@return boolean
function tx:by(identity) end

---Do they have this right on the object?
---@param right string one of `rights` of the object's type
---@param object ate.Record|ate.Ref
---@return boolean
function tx:may(right, object) end

---The events of a type in this transaction, up to this one.
---@param type string
---@return fun(): ate.Record
function tx:each(type) end

---What a fold writes with.
---@class ate.Rows
local rows = {}

---The row; one of defaults, or nil, when it is absent.
---@param key ate.Key
---@return table?
function rows:get(key) end

---Write columns; those not named stay as they are.
---@param key ate.Key
---@param columns table
function rows:set(key, columns) end

---Add to integer and amount columns, starting from their defaults.
---@param key ate.Key
---@param columns table<string, integer>
function rows:add(key, columns) end

---Take the row away, if it is there.
---@param key ate.Key
function rows:delete(key) end

---What a method works with. What writes is judged at once.
---@class ate.Ctx
---@field state ate.State
---@field caller ate.Identity who calls
---@field author? ate.Identity who signs; nil in reads
---@field time integer log time, in milliseconds
---@field data table the caller's context
---@field claims nil what a token says
---@field where string the side it runs on
---@field none any in a patch: takes an optional field away
---@field emit fun(self: ate.Ctx, type: string, fields: table): ate.Ref
---@field ask fun(self: ate.Ctx, service: string, request: any): any of workers
---@field create fun(self: ate.Ctx, type: string, fields: table): ate.Record
---@field put fun(self: ate.Ctx, type: string, fields: table): ate.Record
---@field patch fun(self: ate.Ctx, type: string, key: ate.Key, fields: table): ate.Record
---@field delete fun(self: ate.Ctx, type: string, key: ate.Key)
---@field get fun(self: ate.Ctx, type: string, key: ate.Key): ate.Record?
---@field call fun(self: ate.Ctx, method: string, args?: table): any

-- ---- the rest of the library ----

---Whole numbers, exact or an error.
---@class ate.int
---@field max integer 2^53
---@field min integer -2^53
local int = {}

---@param a integer
---@param b integer
---@param ... integer
---@return integer
function int.add(a, b, ...) end

---@param a integer
---@param b integer
---@return integer
function int.sub(a, b) end

---@param a integer
---@param b integer
---@return integer
function int.mul(a, b) end

---Rounded down.
---@param a integer
---@param b integer
---@return integer
function int.div(a, b) end

---What `div` leaves.
---@param a integer
---@param b integer
---@return integer
function int.mod(a, b) end

---a * b / c rounded down, with all digits in between.
---@param a integer
---@param b integer
---@param c integer
---@return integer
function int.muldiv(a, b, c) end

---@param a integer
---@param n integer
---@return integer
function int.pow(a, n) end

---@param a integer
---@return integer
function int.abs(a) end

---@param a integer
---@return integer
function int.neg(a) end

---@param a integer
---@param b integer
---@return -1|0|1
function int.cmp(a, b) end

---@param list integer[]
---@return integer
function int.sum(list) end

---Is it a whole number of at most 2^53?
---@param x any
---@return boolean
function int.is(x) end

---Days as text, which compare with `<`.
---@class ate.date
local date = {}

---@param x any
---@return boolean
function date.valid(x) end

---@param day ate.Date
---@return integer year
---@return integer month
---@return integer day
function date.parse(day) end

---@param year integer
---@param month integer
---@param day integer
---@return ate.Date
function date.of(year, month, day) end

---@param day ate.Date
---@return ate.Month
function date.month(day) end

---@param day ate.Date
---@return integer
function date.year(day) end

---The day of its month.
---@param day ate.Date
---@return integer
function date.day(day) end

---1 is Monday, 7 is Sunday.
---@param day ate.Date
---@return integer
function date.weekday(day) end

---@param day ate.Date
---@param n integer
---@return ate.Date
function date.add_days(day, n) end

---@param from ate.Date
---@param to ate.Date
---@return integer
function date.days_between(from, to) end

---The day in UTC of a time.
---@param ms integer
---@return ate.Date
function date.of_time(ms) end

---The first millisecond of a day in UTC.
---@param day ate.Date
---@return integer
function date.to_time(day) end

---Spans in milliseconds, to add to a time.
---@class ate.time
---@field second integer
---@field minute integer
---@field hour integer
---@field day integer
---@field week integer

---@class ate.text
local text = {}

---Characters, not bytes; nil for what is not UTF-8.
---@param s string
---@return integer?
function text.len(s) end

---Is it UTF-8?
---@param s string
---@return boolean
function text.valid(s) end

---Would `t.name()` take it?
---@param s string
---@return boolean
function text.is_name(s) end

---Every part, from the left.
---@param s string
---@param part string plain text, never a pattern
---@param with string
---@return string
function text.replace(s, part, with) end

---@param s string
---@return string digits
function text.hex(s) end

---@param digits string
---@return string? bytes
function text.unhex(digits) end

---@class ate.hash
local hash = {}

---64 hexadecimal digits.
---@param s string
---@return string
function hash.sha256(s) end

return ate
