--- ate test FILE...: the tests of a schema by its author.
local ate = require('ate')

local function find_tests()
    local files = {}
    for _, name in ipairs(ate.host.names('.') or {}) do
        if name:match('_test%.lua$') then
            files[#files + 1] = name
        end
    end
    if #files == 0 then
        return nil, ate.error('NOT_FOUND', 'test: no *_test.lua in this '
            .. 'folder; name the files, or begin with ate new')
    end
    return files
end

local function run(ctx)
    local files, err = ctx.args.FILE
    if #files == 0 then
        files, err = find_tests()
    end
    if files == nil then
        return nil, err
    end
    return require('ate.test.runner').run(files, {only = ctx.options.only,
        out = ctx.out})
end

return {
    name = 'test',
    doc = 'Run the tests of a schema, each on a chain of its own in memory.',
    args = {{name = 'FILE', shown = 'FILE', many = true, optional = true,
        doc = 'Tests; without any, all *_test.lua of this folder. ate:ledger '
            .. 'are\nthose of a schema that comes with ate.'}},
    options = {{name = 'only', value = 'TEXT',
        doc = 'Run only tests whose name contains the text.'}},
    more = 'After each test the log is replayed in a second sandbox, which '
        .. 'has to come\nto the same state.',
    examples = {'ate test', 'ate test bank_test.lua --only overdraw'},
    run = run,
}
