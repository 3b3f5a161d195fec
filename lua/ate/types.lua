--- The types of fields: `ate.types`.
--
-- Each is a function that gives a type. Options are one table with known keys.
-- @module ate.types

local M = {}

--- Text: UTF-8 with line feeds and tabs. Options: min, max (bytes).
M.text = host.type('text')

--- A segment of a path: no '/', no control characters, no '.' in front.
-- Options: min, max (bytes).
M.name = host.type('name')

--- Bytes. Options: min, max.
M.blob = host.type('blob')

--- true or false.
M.boolean = host.type('boolean')

--- A whole number up to 2^53 either way. Options: min, max.
M.integer = host.exact_type('integer')

--- Money and other decimals, a whole number of smallest units.
-- Options: `scale`, the digits behind the point, or `of`, a field beside it
-- that refers to what has a field `scale`; min, max (smallest units), which
-- are 2^53 either way when not given.
M.amount = host.exact_type('amount')

--- One of a list of words: `t.enum({'low', 'high'})`.
M.enum = host.type('enum')

--- A day: '2026-11-22'.
M.date = host.type('date')

--- A month: '2026-11'.
M.month = host.type('month')

--- A time of the log: milliseconds since 1970.
M.time = host.type('time')

--- Who: a key, a user or a group.
M.identity = host.type('identity')

--- Names an object or a fact: `t.ref('account')`, `t.ref('coins.wallet')`. As
-- a key of rows it takes none of another type.
M.ref = host.exact_type('ref')

--- The full name of a type of this chain: 'escrow.settled'.
M.event_type = host.type('event_type')

--- Fields in one value: `t.struct({account = t.ref('account')})`.
M.struct = host.type('struct')

--- Values of one type: `t.list(t.text(), {min = 1, max = 12})`.
M.list = host.type('list')

--- May be absent: `t.optional(t.date())`.
M.optional = host.type('optional')

--- Is given when left out: `t.default(t.integer(), 0)`.
M.default = host.type('default')

--- No later version may change it: `t.once(t.identity())`.
M.once = host.type('once')

--- The fields of a type, header and body, as a method's `args`.
M.fields = host.type('fields')

--- What a method `returns` that gives rows of a view: `t.page('board')`.
M.page = host.type('page')

return host.freeze(host.strict(M, 'ate.types'), 'ate.types')
