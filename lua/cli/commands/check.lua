--- ate check FILE: what is wrong with a schema, before a chain has it.
local ate = require('ate')
local author = require('ate.cli.author')
local bundles = require('ate.client.bundles')
local new_writing = require('ate.cli.writing').new

local function count(list, one)
    local n = list ~= nil and list ~= ate.null and #list or 0
    return ('%d %s%s'):format(n, one, n == 1 and '' or 's')
end

local function summary(schema)
    local objects, events = {}, {}
    for _, type_ in ipairs(schema.types or {}) do
        local list = type_.kind == 'object' and objects or events
        list[#list + 1] = type_
    end
    local methods = {}
    for _, method in ipairs(schema.methods or {}) do
        if method.default ~= true then
            methods[#methods + 1] = method
        end
    end
    local version = 1
    for _, part in ipairs(schema.parts or {}) do
        if part.name == schema.main then
            version = part.version
        end
    end
    local workers = schema.workers or {}
    return ('schema %s %d: %s, %s, %s, %s, %s%s'):format(schema.main, version,
        count(objects, 'object'), count(events, 'event'),
        count(schema.views, 'view'), count(schema.rules, 'rule'),
        count(methods, 'method'),
        #workers > 0 and ', ' .. count(workers, 'worker') or '')
end

local function run(ctx)
    local bundle, report = bundles.load(ctx.args.FILE)
    if bundle == nil then
        return nil, report
    end
    local warnings = report.warnings or {}
    local code = #warnings > 0 and ctx.options.strict and 1 or 0
    local stubs, err
    if ctx.options.stubs ~= nil then
        local writing = new_writing('check')
        stubs, err = author.write_stubs(writing, ctx.options.stubs,
            report.schema)
        if stubs == nil then
            writing:undo()
            return nil, err
        end
    end
    if ctx.out.is_json then
        ctx.out:json({file = ctx.args.FILE, schema = report.schema,
            warnings = warnings, bytes = #bundle, bundle = report.hash,
            stubs = stubs})
        return code
    end
    for _, warning in ipairs(warnings) do
        ctx.out:line('warning: ' .. warning)
    end
    ctx.out:line(summary(report.schema) .. '; '
        .. (#warnings == 0 and 'no warnings' or count(warnings, 'warning')))
    return code
end

return {
    name = 'check',
    doc = 'Check a schema: mistakes, and what no rule protects.',
    args = {{name = 'FILE', doc = 'The schema, a file of Lua; or ate:ledger, '
        .. 'ate:key_value.'}},
    options = {
        {name = 'strict', doc = 'Exit with 1 when there are warnings.'},
        {name = 'stubs', value = 'DIR', doc = 'Write there what '
            .. 'lua-language-server is told: of ate,\nof the sandbox, and of '
            .. 'this schema.'},
    },
    examples = {'ate check bank.lua', 'ate check bank.lua --stubs .ate'},
    run = run,
}
