--- The language of schemas: what `require('ate')` gives.
--
-- A schema file makes one schema, declares its objects, events, views, rules,
-- methods and workers, each with one call, and returns it. The calls only
-- write down what is said; the engine checks all of it when the file has run,
-- and names file, line and path of each mistake.
-- @module ate
local lib = require('ate.lib')
local types = require('ate.types')

local M = {
    types = types,
    each = lib.each,
    int = lib.int,
    date = lib.date,
    time = lib.time,
    text = lib.text,
    hash = lib.hash,
}

--- Make a schema.
-- Gives an object with the functions `object`, `event`, `view`, `rule`,
-- `method` and `worker`; each takes a name and a table.
-- @function schema
-- @tparam string name
-- @tparam table options doc, version; bodies ('open' or 'sealed'), context
M.schema = host.declare('schema')

--- What a rule returns to refuse; the values fill its `text`. A rule that makes
-- one and then returns true is in error.
-- @function deny
-- @tparam[opt] table values
M.deny = host.deny_for_good

return host.freeze(host.strict(M, 'ate'), 'ate')
