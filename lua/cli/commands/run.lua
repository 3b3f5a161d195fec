--- ate run FILE.lua [ARG...]: a script that works with chains.
local ate = require('ate')
local cell = require('ate.client.cell')
local data = require('ate.client.data')
local files = require('ate.client.files')
local folder = require('ate.client.folder')
local interrupts = require('ate.client.interrupts')
local mistaken = require('ate.client.mistaken')
local raised = require('ate.client.raised')

local function load_script(path)
    local text, err = files.read_or_stdin('run', path)
    if text == nil then
        return nil, err
    end
    local script, wrong = loadstring(text, path == '-' and '=stdin'
        or '@' .. path)
    return script, script == nil and ate.error('SCRIPT', wrong) or nil
end

--- What the script requires is looked for beside it first.
local function add_path(path)
    local beside = path:match('^(.*/)[^/]*$') or './'
    package.path = beside .. '?.lua;' .. beside .. '?/init.lua;' .. package.path
end

local function set_arg(path, words)
    local list = {[0] = path}
    for i, word in ipairs(words) do
        list[i] = word
    end
    rawset(_G, 'arg', list) -- as every Lua program has it
end

--- What it raised, with where; an error of ate keeps its code.
local function seen(problem)
    if raised.is_error(problem) then
        return problem
    end
    local trace = debug.traceback(raised.text(problem), 2)
    return {trace = (trace:gsub('\n%s*lua/client/interrupts%.lua:.*$', ''))}
end

--- Where a signal met the script; what of ours it waited in says nothing.
local function where_it_was(trace)
    return (trace:gsub('^[^\n]*', 'run: interrupted', 1)
        :gsub('\n%s*lua/client/[^\n]*', ''))
end

local EXIT_MOST = 255 -- of which the system keeps no more than a byte

--- What the script returned is the code of the process, or nothing.
local function exit_code(result)
    if result == nil then
        return 0
    end
    local is_code = type(result) == 'number' and result % 1 == 0
        and result >= 0 and result <= EXIT_MOST
    if not is_code then
        return nil, ate.error('SCRIPT', ('run: the script returned %s; an '
            .. 'exit code is a whole number from 0 to %d'):format(
            type(result) == 'number' and cell.text(result)
                or 'a ' .. type(result), EXIT_MOST))
    end
    return result
end

local function run(ctx)
    local path = ctx.args.FILE
    local kind = ate.host.kind(path)
    if path ~= '-' and kind == nil then
        return nil, ate.error('NOT_FOUND', 'no file ' .. path)
    elseif path ~= '-' and kind == 'folder' then
        return nil, ate.error('INVALID', path .. ' is a folder, no script')
    end
    local script, err = load_script(path)
    if script == nil then
        return nil, err
    end
    data.default = ctx.options.data
    mistaken.tell_schemas()
    set_arg(path, ctx.args.ARG)
    add_path(path)
    local ok, result = interrupts.call(script, seen, unpack(ctx.args.ARG))
    folder.close_all()
    io.stdout:flush()
    if ok then
        return exit_code(result)
    end
    if type(result) ~= 'table' then -- no stack was left to say where
        return nil, ate.error('SCRIPT', ('%s: %s'):format(path, tostring(result)))
    end
    if result.trace == nil then
        return nil, result
    end
    if interrupts.came() then
        return nil, ate.error('CANCELED', where_it_was(result.trace))
    end
    return nil, ate.error('SCRIPT', result.trace)
end

return {
    name = 'run',
    doc = 'Run a Lua script that works with chains.',
    raw = true,
    args = {
        {name = 'FILE', doc = 'The script; - is standard input.'},
        {name = 'ARG', many = true, optional = true,
            doc = 'Its arguments, also those that begin with -.'},
    },
    examples = {'ate run report.lua 2026 --verbose',
        'echo \'print(require("ate").open():chain("bank"))\' | ate run -'},
    run = run,
}
