---@meta ate.test
-- What `require('ate.test')` gives tests of a schema, for an editor with
-- lua-language-server. docs/testing.md is the reference; nothing here runs.

---@class ate.test
---@field null any an explicit nothing, for arguments
local test = {}

---Which schema the tests below are for.
---@param path string from the folder of the test, or such as 'ate:ledger'
---@param options? {accept: string[]} materializers; else strangers write, too
function test.schema(path, options) end

---A test; its name is a claim.
---@param name string
---@param run fun(t: ate.test.Bench)
function test.it(name, run) end

---A list, also when it is empty, for arguments.
---@param values any[]
---@return any[]
function test.list(values) end

---Bytes, for arguments.
---@param bytes string
---@return any
function test.bin(bytes) end

---What `user:view` and the like take.
---@class ate.test.ReadOptions
---@field limit? integer
---@field order? 'first'|'last'
---@field parent? any

---A write that succeeded.
---@class ate.test.Receipt
---@field result any
---@field index integer
---@field root string
---@field tx string
---@field gas integer
---@field receipt string

---What all who read have.
---@class ate.test.Reader
local reader = {}

---Rows of a view.
---@param view string
---@param where? table<string, any>
---@param options? ate.test.ReadOptions
---@return table[]
function reader:view(view, where, options) end

---One object or fact, or nil.
---@param type string
---@param key any
---@return table?
function reader:get(type, key) end

---Objects or facts.
---@param type string
---@param options? ate.test.ReadOptions
---@return table[]
function reader:list(type, options) end

---All versions of an object, the newest first.
---@param type string
---@param key any
---@return table[]
function reader:history(type, key) end

---The sum of a column.
---@param view string
---@param column string
---@param where? table<string, any>
---@return any
function reader:sum(view, column, where) end

---Somebody with a key.
---@class ate.test.User: ate.test.Reader
---@field name string
local user = {}

---Call a method, which has to succeed.
---@param method string
---@param args? table<string, any>
---@return any result
---@return ate.test.Receipt receipt of a write
function user:call(method, args) end

---Somebody whose calls these sign, too, as authors.
---@param ... ate.test.User
---@return ate.test.User
function user:with(...) end

---Somebody whose calls these sign, too, as root keys.
---@param ... ate.test.User
---@return ate.test.User
function user:with_root(...) end

---Somebody who acts for another, who has granted it.
---@param other ate.test.User
---@return ate.test.User
function user:acting_for(other) end

---A test's own chain and clock.
---@class ate.test.Bench: ate.test.Reader
local t = {}

---Somebody with a key of this name; `me` made the chain.
---@param name string
---@return ate.test.User
function t:user(name) end

---Claim that a rule refuses a call.
---@param rule string
---@param caller ate.test.User
---@param method string
---@param args? table<string, any>
---@return string said
function t:refused(rule, caller, method, args) end

---Claim that a call fails otherwise.
---@param code 'INVALID'|'NOT_FOUND'|'CONFLICT'|'DENIED'|'REFUSED'|'LIMIT'|'SCRIPT'|string
---@param caller ate.test.User
---@param method string
---@param args? table<string, any>
---@return string said
function t:fails(code, caller, method, args) end

---Claim that two values are equal; `id` and `_` count where they are expected.
---@param got any
---@param expected any
function t:equal(got, expected) end

---Claim that a value is neither nil nor false.
---@param value any
---@param text? string
function t:ok(value, text) end

---End the test as failed.
---@param text string
function t:fail(text) end

---Move the clock forward.
---@param span string|number '2 days', or milliseconds
function t:advance(span) end

---Move the clock to a time that is not past.
---@param time string '2026-03-01T10:00:00Z'
function t:at(time) end

---The time of the chain's clock.
---@return string
function t:now() end

---Let workers work, each thing that waits once.
---@param worker? string
---@return {done: integer, failed: integer, parked: integer, failures: table[]}
function t:work(worker) end

---The same, and claim that nothing failed.
---@param worker? string
---@return integer done
function t:works(worker) end

---Answer what workers ask a service.
---@param name string
---@param answer fun(request: any, asked: table): any, any
function t:service(name, answer) end

---What waits for workers, and what is parked.
---@param options? {worker: string, parked: boolean}
---@return table[]
function t:waiting(options) end

return test
