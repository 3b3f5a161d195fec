--- Run files of tests and tell how they went.
-- @module ate.test.runner
local ate = require('ate')
local bench = require('ate.test.bench')
local bundle_files = require('ate.client.bundles')
local claim = require('ate.test.claim')
local inputs = require('ate.client.files')
local interrupts = require('ate.client.interrupts')
local mistaken = require('ate.client.mistaken')
local raised_by = require('ate.client.raised')
local test = require('ate.test')

local M = {}

--- Turn whatever was raised into {text, where}.
local function failure_of(raised, path)
    if claim.is_failure(raised) then
        return raised
    end
    local text = raised_by.text(raised)
    local where, rest = text:match('^([^\n:]+:%d+): (.*)$')
    if where ~= nil then
        return {text = rest, where = where}
    end
    return {text = text, where = path}
end

--- The code of a file, or of the tests of a standard schema.
local function load_chunk(path)
    local text, err, name
    if bundle_files.is_standard(path) then
        text, err = bundle_files.source(path, '_test')
        name = '@schemas/' .. path:sub(5) .. '_test.lua'
    else
        text, err = inputs.read('test', path)
        name = '@' .. path
    end
    if text == nil then
        return nil, err
    end
    local chunk, wrong = loadstring(text, name)
    if chunk == nil then
        local where, rest = wrong:match('^([^\n:]+:%d+): (.*)$')
        return nil, ate.error('SCRIPT', ('test: %s: %s'):format(where or path,
            rest or wrong))
    end
    return chunk
end

local function as_raised(raised)
    return raised
end

local function load_file(path)
    test.begin(path)
    local chunk, err = load_chunk(path)
    if chunk == nil then
        return nil, err
    end
    mistaken.tell_schemas()
    local ok, raised = interrupts.call(chunk, as_raised)
    if not ok then
        if interrupts.came() then
            return nil, ate.error('CANCELED', ('test: %s: interrupted')
                :format(path))
        end
        local failure = failure_of(raised, path)
        return nil, ate.error('SCRIPT', ('test: %s: %s'):format(failure.where,
            failure.text))
    end
    if #test.tests == 0 then
        return nil, ate.error('NOT_FOUND', ('test: %s declares no test; '
            .. 'test.it(\'...\', function(t) ... end) does'):format(path))
    end
    return test.tests
end

--- Whether a signal came while a test ran, whatever the test made of it.
-- @tparam ?table t the test's chain
-- @tparam[opt] table err what ended something
local function was_interrupted(t, err)
    return interrupts.came() or t ~= nil and t.session.interrupted
        or err ~= nil and err.code == 'CANCELED'
end

--- Run one test.
-- @treturn[1] table {name, file, passed, failure, replayed, calls, gas,
-- methods}
-- @treturn[2] nil it was interrupted
local function run_one(item, path, bundles)
    local result = {name = item.name, file = path, calls = 0, gas = 0}
    local t, err = bench.new(item.schema, bundles)
    if t == nil then
        if was_interrupted(nil, err) then
            return nil
        end
        result.failure = {text = err.text, where = item.schema.path}
        return result
    end
    local ok, raised = interrupts.call(item.run, as_raised, t)
    local is_over = was_interrupted(t)
    local replayed, replay_err
    if not is_over then
        replayed, replay_err = t:replay()
        is_over = was_interrupted(t, replay_err)
    end
    t:close()
    if is_over then
        return nil
    end
    result.replayed = replayed ~= nil
    if not ok then
        result.failure = failure_of(raised, path)
    elseif replayed == nil then
        result.failure = {text = 'replay: ' .. replay_err.text, where = path}
    end
    result.calls, result.gas, result.methods = t.calls, t.gas, t.gas_by_method
    result.passed = result.failure == nil
    return result
end

local function average(gas, calls)
    return calls == 0 and 0 or math.floor(gas / calls + 0.5)
end

local function calls_text(count)
    return count == 1 and '1 call' or count .. ' calls'
end

local function say(out, result)
    if out.is_json then
        return
    end
    if result.passed then
        out:line(('ok    %s  %s, %d gas a call'):format(result.name,
            calls_text(result.calls), average(result.gas, result.calls)))
        return
    end
    out:line('FAIL  ' .. result.name)
    out:write(('      %s: %s\n'):format(result.failure.where or result.file,
        ate.text.printable(result.failure.text, '\n'):gsub('\n', '\n      ')))
end

local function add_methods(total, methods)
    for name, sum in pairs(methods or {}) do
        local all = total[name] or {calls = 0, gas = 0}
        all.calls, all.gas = all.calls + sum.calls, all.gas + sum.gas
        total[name] = all
    end
end

local function gas_lines(out, methods)
    local names = {}
    for name in pairs(methods) do
        names[#names + 1] = name
    end
    table.sort(names)
    for _, name in ipairs(names) do
        local sum = methods[name]
        out:line(('gas   %s  %d a call, %s'):format(name,
            average(sum.gas, sum.calls), calls_text(sum.calls)))
    end
end

local function summary(out, all)
    local methods = {}
    for _, result in ipairs(all.results) do
        add_methods(methods, result.methods)
    end
    if out.is_json then
        out:json({passed = all.passed, failed = all.failed,
            replay_equal = all.replayed, gas = methods,
            tests = ate.list(all.results)})
        return
    end
    gas_lines(out, methods)
    if all.replayed ~= nil then
        out:line(('replay %s · %d gas a call'):format(
            all.replayed and 'equal' or 'DIFFERS', average(all.gas, all.calls)))
    end
    out:line(('%d passed, %d failed'):format(all.passed, all.failed))
end

local function run_file(path, options, all, bundles)
    local tests, err = load_file(path)
    if tests == nil then
        return nil, err
    end
    for _, item in ipairs(tests) do
        if options.only == nil or item.name:find(options.only, 1, true) then
            local result = run_one(item, path, bundles)
            if result == nil then
                return nil, ate.error('CANCELED', ('test: interrupted in %q; '
                    .. '%d passed, %d failed before'):format(item.name,
                    all.passed, all.failed))
            end
            all.results[#all.results + 1] = result
            all.passed = all.passed + (result.passed and 1 or 0)
            all.failed = all.failed + (result.passed and 0 or 1)
            all.calls = all.calls + result.calls
            all.gas = all.gas + result.gas
            if result.replayed ~= nil then
                all.replayed = all.replayed ~= false and result.replayed
            end
            say(options.out, result)
            io.stdout:flush() -- a second signal ends us where we stand
        end
    end
    return true
end

--- Run files.
-- @tparam table files list of paths
-- @tparam table options out, only
-- @treturn[1] integer exit code, 0 or 1
-- @treturn[2] nil
-- @treturn[2] table err when a file is no test, CANCELED after a signal
function M.run(files, options)
    -- replayed is nil while there was nothing to replay.
    local all = {results = {}, passed = 0, failed = 0, calls = 0, gas = 0}
    local bundles = {}
    for _, path in ipairs(files) do
        local ok, err = run_file(path, options, all, bundles)
        if not ok then
            return nil, err
        end
    end
    if #all.results == 0 then
        return nil, ate.error('NOT_FOUND', ('test: the name of no test '
            .. 'contains %q'):format(options.only))
    end
    summary(options.out, all)
    return all.failed == 0 and 0 or 1
end

return M
