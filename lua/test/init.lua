--- Tests of a schema: what `require('ate.test')` gives.
--
--     local test = require('ate.test')
--     test.schema('bank.lua')
--     test.it('nobody overdraws', function(t)
--         local alice = t:user('alice')
--         alice:call('account.put', {name = 'alice', owner = 'alice'})
--         ...
--     end)
--
-- Each test runs on a new chain in memory, with a clock that only it moves.
-- @module ate.test
local ate = require('ate')
local bundles = require('ate.client.bundles')

local M = {tests = {}}

M.null = ate.null
M.list = ate.list
M.bin = ate.bin

--- Start to collect the tests of one file; the runner calls this.
-- @tparam string path
function M.begin(path)
    M.tests = {}
    M.path = path
    M.options = nil
end

--- Say which schema the tests below are for.
-- @tparam string path from the folder of the test, or `ate:ledger`
-- @tparam[opt] table options accept: a list of materializers
function M.schema(path, options)
    if type(path) ~= 'string' then
        error('test.schema: the path of the schema is a text', 2)
    end
    for key in pairs(options or {}) do
        if key ~= 'accept' then
            error(('test.schema: unknown option %q'):format(key), 2)
        end
    end
    local folder = M.path:match('^(.*/)[^/]*$') or ''
    local is_whole = path:sub(1, 1) == '/' or bundles.is_standard(path)
    M.options = {
        path = is_whole and path or folder .. path,
        accept = options ~= nil and options.accept or nil,
    }
end

--- Declare a test.
-- @tparam string name a claim, such as `nobody overdraws`
-- @tparam function run called with `t`
function M.it(name, run)
    if type(name) ~= 'string' or type(run) ~= 'function' then
        error('test.it takes a name and a function', 2)
    end
    if M.options == nil then
        error('test.it comes after test.schema', 2)
    end
    M.tests[#M.tests + 1] = {name = name, run = run, schema = M.options}
end

return M
