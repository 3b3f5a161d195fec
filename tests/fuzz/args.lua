--- What fuzz_args gives words to: the command line as it is, of which commands
-- that would open a folder, start something or wait are left out. Instead of
-- them their values are read by the fields of a schema, as they would do it.
local ate = require('ate')
local bundles = require('ate.client.bundles')
local commands = require('ate.cli.table_of_commands')
local context = require('ate.cli.context')
local shape = require('ate.client.shape')
local values = require('ate.client.values')

local EXIT_MAX = 8
local ALIVE = {help = true, version = true, completion = true, complete = true}

local null = assert(io.open('/dev/null', 'r+'))
rawset(io, 'stdin', null)
rawset(io, 'stdout', null)
rawset(io, 'stderr', null)

local bundle, report = bundles.load('tests/lua/schemas/tracker.lua')
assert(bundle ~= nil, report)
local schema = report.schema

--- No folder is opened, whatever is named.
getmetatable(context.new({}, {}, {}, {})).__index.open = function()
    return nil, ate.error('NOT_FOUND', 'no data folder here')
end

--- `@FILE` stays what it is: no file is read, for one may never end.
local function harmless(words)
    local list = {}
    for i, word in ipairs(words) do
        list[i] = word:gsub('^([^=]+=)@', '%1@@', 1)
    end
    return list
end

local function read_values(words)
    words = harmless(words)
    for _, method in ipairs(schema.methods) do
        local args, err = values.args(method.args or {}, words, method.name)
        assert(args ~= nil or err.code == 'INVALID')
    end
    for _, view in ipairs(schema.views) do
        local args, err = values.args(view.columns, words, view.name)
        assert(args ~= nil or err.code == 'INVALID')
    end
end

--- In the place of a command: it has what its table promises.
local function stand_in(ctx)
    for _, arg in ipairs(ctx.command.args or {}) do
        local given = ctx.args[arg.name]
        assert(arg.optional or given ~= nil)
        if arg.many then
            read_values(given)
        end
    end
    if ctx.args.METHOD ~= nil then
        shape.find(schema, 'method', ctx.args.METHOD, 'chain')
    end
    if ctx.options.args ~= nil then
        ate.json.decode(ctx.options.args)
    end
    ctx:data()
    return 0
end

for _, each in ipairs(commands.each()) do
    if not ALIVE[each.words] then
        each.command.run = stand_in
    end
end

local main = require('ate.cli.main')

--- @tparam table words
return function(words)
    local code = main(words)
    assert(type(code) == 'number' and code % 1 == 0)
    assert(code >= 0 and code <= EXIT_MAX)
end
