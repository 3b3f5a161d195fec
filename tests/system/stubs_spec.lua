--- What editors and luacheck are told of a schema: every word that the sandbox,
-- the vocabulary and the tests have, and no others.
local run = require('helper')
local ate = require('ate')
local bench = require('ate.test.bench')
local user = require('ate.test.user')

before_each(run.begin)
after_each(run.finish)

local AUTHOR = 'lua/author/'

-- ---- what there is ----

--- What is wrong with a schema that begins with a line, or nil.
local function told(line)
    local path = run.write(run.dir .. '/probe.lua', line .. '\n')
    local bundle, err = ate.bundle(path)
    return bundle == nil and err.text or nil
end

--- Does the sandbox know a name? An unknown one is told at its line, a file
-- that only names it returns no schema.
local function is_known(name)
    local text = told(('local _ = %s'):format(name))
    return not text:find('probe.lua:1', 1, true)
end

--- The members of a table of the sandbox.
local function members(expression)
    local text = told(([[
local ate = require('ate')
local names = {}
for name in ate.each(%s) do names[#names + 1] = name end
error('members: ' .. table.concat(names, ' '))]]):format(expression))
    local set = {}
    for name in text:match('members: ([%w_ ]+)'):gmatch('[%w_]+') do
        set[name] = true
    end
    return set
end

--- The names in a list of a C source, such as `keys[] = {"doc", "on", NULL}`.
local function names_in(path, list, function_)
    local source = run.read(path)
    if function_ ~= nil then
        source = source:sub(source:find(function_, 1, true), -1)
    end
    local set = {}
    local text = source:match(list .. '%[%]%s*=%s*(%b{})')
    for name in text:gmatch('"([%w_]+)"') do
        set[name] = true
    end
    assert(next(set) ~= nil, path)
    return set
end

-- ---- what is said ----

--- The functions of a table in a stub: `function NAME.x(` and `NAME:x(`.
local function functions(file, name)
    local set = {}
    for word in run.read(AUTHOR .. file):gmatch(
        '\nfunction ' .. name .. '[.:]([%w_]+)%(') do
        assert(set[word] == nil, word .. ' is there twice')
        set[word] = true
    end
    return set
end

--- The fields of a class, those of its functions too when they are named.
local function fields(file, class, name)
    local text = run.read(AUTHOR .. file) .. '\n'
    local block = text:match('\n%-%-%-@class ' .. class:gsub('%.', '%%.')
        .. '%f[^%w.][^\n]*\n(.-)\n[^-]')
        or text:match('\n%-%-%-@class ' .. class:gsub('%.', '%%.')
        .. '%f[^%w.][^\n]*()\n') and ''
    assert(block ~= nil, class)
    local set = name ~= nil and functions(file, name) or {}
    for word in ('\n' .. block):gmatch('\n%-%-%-@field ([%w_]+)') do
        set[word] = true
    end
    return set
end

local function keys_of(set, ...)
    local list, left_out = {}, {}
    for _, name in ipairs({...}) do
        left_out[name] = true
    end
    for name in pairs(set) do
        if not left_out[name] then
            list[#list + 1] = name
        end
    end
    table.sort(list)
    return list
end

local function same(real, stubs, ...)
    assert.same(keys_of(real, ...), keys_of(stubs))
end

--- The standard of luacheck: {name = true or a set of members}.
local function standard()
    local env = {stds = {}, files = {}, ipairs = ipairs}
    local chunk = assert(loadfile(AUTHOR .. 'luacheckrc'))
    setfenv(chunk, env)()
    assert.equal('ate', env.std)
    local set = {}
    for key, value in pairs(env.stds.ate.read_globals) do
        if type(key) == 'number' then
            set[value] = true
        else
            set[key] = value.fields
        end
    end
    return set
end

describe('the standard and the stubs', function()
    it('name the globals of the sandbox', function()
        local there, candidates = {}, {}
        for name in pairs(_G) do
            candidates[name] = true
        end
        for name in run.read('engine/sandbox/lib_base.c'):gmatch('{"(%l+)", ') do
            candidates[name] = true
        end
        for name in run.read('engine/sandbox/hints.c'):gmatch('{"([%w_]+)"') do
            candidates[name] = true
        end
        for name in pairs(candidates) do
            if name:match('^[%a_][%w_]*$') and is_known(name) then
                there[name] = true
            end
        end
        assert.is_true(there.assert and there.bit)
        same(there, standard())
        local said = run.read(AUTHOR .. 'sandbox.lua')
        local stubs = {}
        for name in said:gmatch('\nfunction ([%w_]+)%(') do
            stubs[name] = true
        end
        for name in said:gmatch('\n([%w_]+) = {}\n') do
            stubs[name] = true
        end
        same(there, stubs)
    end)

    for _, name in ipairs({'string', 'table', 'math', 'bit'}) do
        it('name the members of ' .. name, function()
            same(members(name), standard()[name])
            same(members(name), functions('sandbox.lua', name))
        end)
    end

    it('name what is in ate', function()
        same(members('ate'), fields('ate.lua', 'ate', 'ate'))
        for _, name in ipairs({'int', 'date', 'time', 'text', 'hash',
            'types'}) do
            same(members('ate.' .. name),
                fields('ate.lua', 'ate.' .. name, name))
        end
    end)

    it('name the keys of declarations', function()
        for class, at in pairs({
            SchemaOptions = {'event', 'keys'},
            Object = {'event', 'object_keys'},
            Event = {'event', 'event_keys'}, View = {'view', 'keys'},
            Rule = {'rule', 'keys'}, Method = {'method', 'keys'},
            Worker = {'worker', 'keys'},
        }) do
            same(names_in('engine/declare/declare_' .. at[1] .. '.c', at[2],
                at[3]), fields('ate.lua', 'ate.' .. class))
        end
        same(names_in('engine/declare/vocabulary.c', 'declarations'),
            fields('ate.lua', 'ate.Schema', 'schema'))
    end)

    it('name what functions get', function()
        local tx = names_in('engine/script/lua_tx.c', 'names', 'no_field')
        same(tx, (function()
            local set = fields('ate.lua', 'ate.Tx', 'tx')
            for name in pairs(fields('ate.lua', 'ate.FoldTx')) do
                set[name] = true
            end
            return set
        end)())
        same(names_in('engine/script/lua_ctx.c', 'names', 'no_field'),
            fields('ate.lua', 'ate.Ctx'))
        same(names_in('engine/script/lua_rows.c', 'functions'),
            fields('ate.lua', 'ate.Rows', 'rows'))
        same(names_in('engine/script/lua_state.c', 'of_views'),
            fields('ate.lua', 'ate.ViewState', 'view_state'))
        same(names_in('engine/script/lua_state.c', 'of_objects'),
            fields('ate.lua', 'ate.TypeState', 'type_state'))
        same(names_in('engine/script/lua_state.c', 'names'),
            fields('ate.lua', 'ate.EachOptions'))
    end)

    it('name what tests have', function()
        same(require('ate.test'), fields('test.lua', 'ate.test', 'test'),
            'tests', 'begin', 'path', 'options')
        local reader = functions('test.lua', 'reader')
        local function with_reader(set)
            for name in pairs(reader) do
                set[name] = true
            end
            return set
        end
        same(user.User, with_reader(functions('test.lua', 'user')), '__index')
        local t = assert(bench.new({path = 'ate:key_value'}, {}))
        same(getmetatable(t), with_reader(functions('test.lua', 't')),
            '__index', 'close', 'replay', 'set_clock')
        t:close()
    end)

    it('are Lua', function()
        for _, file in ipairs({'ate.lua', 'sandbox.lua', 'test.lua'}) do
            assert(loadfile(AUTHOR .. file))
            assert.matches('^%-%-%-@meta', run.read(AUTHOR .. file))
        end
        local settings = assert(ate.json.decode(run.read(
            AUTHOR .. 'luarc.json')))
        assert.same({'.ate'}, settings['workspace.library'])
    end)
end)

describe('luacheck with the standard', function()
    local function luacheck(folder, words)
        return run.shell(('cd %s && luacheck --no-color --no-cache --config '
            .. '%s/%sluacheckrc %s'):format(run.quote(folder),
            run.quote(run.root), AUTHOR, words))
    end

    it('finds nothing in the examples and the schemas', function()
        local done = luacheck(run.root, 'examples schemas lua/cli/templates '
            .. '--exclude-files examples/mirror')
        assert.equal(0, done.code, done.out .. done.err)
        assert.matches('0 warnings / 0 errors in %d%d files', done.out)
    end)

    it('finds what the sandbox has not', function()
        run.write(run.dir .. '/bad.lua', [[
for _ in pairs({}) do end
return os.time(), string.match('a', 'b'), ('x'):rep(2), undefined
]])
        local done = luacheck(run.dir, 'bad.lua')
        assert.equal(1, done.code)
        for _, name in ipairs({'pairs', 'os', 'undefined'}) do
            assert.matches("accessing undefined variable '?" .. name, done.out)
        end
        assert.matches("accessing undefined field '?match", done.out)
        run.write(run.dir .. '/good_test.lua', 'print(pairs, io.open)\n')
        done = luacheck(run.dir, 'good_test.lua')
        assert.equal(0, done.code, done.out)
    end)
end)

describe('ate check --stubs', function()
    --- The lines of the stubs of a schema.
    local function stubs_of(path)
        run.ok('check', path, '--stubs', run.dir .. '/stubs')
        local schema = run.json('check', path).schema
        local file = ('%s/stubs/%s_schema.lua'):format(run.dir, schema.main)
        assert(loadfile(file))
        return run.read(file), schema
    end

    --- The block of a class.
    local function class(text, name)
        return assert(text:match('\n%-%-%-@class ' .. name:gsub('%p', '%%%0')
            .. '%f[^%w_.](.-)\n\n'), name)
    end

    it('knows fields, columns and arguments by their types', function()
        local text = stubs_of(run.root .. '/examples/books/books.lua')
        local entry = class(text, 'books.entry')
        assert.matches('\n%-%-%-@field date ate%.Date\n', entry)
        assert.matches('\n%-%-%-@field postings {account: ate%.Ref, '
            .. 'commodity: ate%.Ref, units: integer, '
            .. 'weight%?: {amount: integer, commodity: ate%.Ref}}%[%]', entry)
        assert.matches('payee%? string', entry)
        assert.matches("@field kind %('assets'|'liabilities'|",
            class(text, 'books.account'))
        assert.matches('@field period ate%.Month',
            class(text, 'books.turnover'))
        assert.matches('@field commodity ate%.Ref',
            class(text, 'books.balance.Args'))
        assert.matches('ctx: books%.Ctx, args: books%.balance%.Args%): integer',
            class(text, 'books.balance.Method'))
        assert.matches('@field get [^\n]*: books%.balance$',
            class(text, 'books.balance.Rows'):match('^[^\n]*\n([^\n]*)'))
        assert.matches('state: books%.State, event: books%.account|'
            .. 'books%.closed|books%.commodity|books%.entry, tx: ate%.Tx',
            class(text, 'books.not_yours.Rule'))
        assert.matches("name: 'books', options: [^\n]*: books%.Schema", text)
    end)

    it('knows large bodies from small ones', function()
        run.write(run.dir .. '/files.lua', [[
local ate = require('ate')
local t = ate.types
local files = ate.schema('files', {doc = 'Files.', version = 1})
files:event('small', {doc = 'A note.', body = t.blob()})
files:event('large', {doc = 'A film.', body = t.blob({max = 65537})})
return files
]])
        local text = stubs_of(run.dir .. '/files.lua')
        assert.matches('@field body string ',
            class(text, 'files.small') .. ' ')
        assert.matches('@field body %(string|ate%.Handle%)',
            class(text, 'files.large'))
    end)

    --- The classes and aliases that a text declares, put into a set.
    local function declared(text, set)
        for name in text:gmatch('\n%-%-%-@class ([%w_.]+)') do
            set[name] = true
        end
        for name in text:gmatch('\n%-%-%-@alias ([%w_.]+)') do
            set[name] = true
        end
        return set
    end

    local PLAIN = {string = true, integer = true, boolean = true, any = true,
        table = true, fun = true, ['nil'] = true, number = true}

    -- lua-language-server is in no package: what it reads is read here.
    it('declares in known forms, and of known types alone', function()
        for _, path in ipairs({run.root .. '/tests/lua/schemas/escrow.lua',
            run.root .. '/tests/lua/schemas/tracker.lua',
            run.root .. '/examples/books/books.lua', 'ate:ledger'}) do
            local text = stubs_of(path)
            local known = declared(text, declared(run.read(
                AUTHOR .. 'ate.lua'), {}))
            for line in text:gmatch('[^\n]+') do
                local type_ = line:match('^%-%-%-@field [%w_]+%?? (.+)$')
                    or line:match("^%-%-%-@field %['[%w_.]+'%]%?? (.+)$")
                    or line:match('^%-%-%-@class [%w_.]+: ([%w_.]+)$')
                assert(type_ or line:match('^%-%-%-@class [%w_.]+$')
                    or line:match('^%-%-%-[^@]') or line:match('^%-%- ')
                    or line == '---@meta', line)
                -- Names behind colons and bars, and those that stand alone.
                local plain = (type_ or ''):gsub("'[^']*'", 'any')
                    :gsub(' %(body: not in rules%)', '')
                for colon, name in (':' .. plain):gmatch('([:|]) ?([%w_.]+)') do
                    assert(PLAIN[name] or known[name], colon .. name .. ': '
                        .. line)
                end
                for _, pair in ipairs({'()', '{}'}) do
                    local rest = plain:gsub('%b' .. pair, '')
                    assert(not rest:find('[' .. pair .. ']'), line)
                end
            end
        end
    end)

    it('names everything that a schema declares, of its parts, too', function()
        for _, path in ipairs({run.root .. '/tests/lua/schemas/escrow.lua',
            run.root .. '/tests/lua/schemas/tracker.lua', 'ate:ledger'}) do
            local text, schema = stubs_of(path)
            local function full(name)
                return name:find('.', 1, true) and name
                    or schema.main .. '.' .. name
            end
            local function expect(name, items)
                local block = class(text, name)
                for _, item in ipairs(items) do
                    assert(block:find('@field ' .. item.name, 1, true),
                        name .. ' ' .. item.name)
                end
            end
            for _, type_ in ipairs(schema.types) do
                expect(full(type_.name), type_.header)
                expect(full(type_.name), type_.body.kind
                    and {{name = 'body'}} or type_.body)
                class(text, full(type_.name) .. '.Fields')
            end
            for _, view in ipairs(schema.views) do
                expect(full(view.name), view.columns)
                class(text, full(view.name) .. '.View')
            end
            for _, rule in ipairs(schema.rules) do
                class(text, full(rule.name) .. '.Rule')
            end
            for _, method in ipairs(schema.methods) do
                if not method.default then
                    expect(full(method.name) .. '.Args', method.args)
                end
            end
        end
    end)

    it('says when it can not write', function()
        run.bank_schema()
        local path = run.dir .. '/bank.lua'
        run.fails(4, 'check: ', 'check', path, '--stubs', '/proc/none')
        run.fails(2, '%-%-stubs is empty; give DIR', 'check', path, '--stubs',
            '')
        assert.equal(4, #run.json('check', path, '--stubs', run.dir .. '/s')
            .stubs)
    end)
end)

describe('ate new', function()
    it('writes them into the project', function()
        run.ok('new', run.dir .. '/shop')
        local done = run.shell('cd shop && find . -type f | LC_ALL=C sort '
            .. '&& luacheck -q . && "$ATE" check shop.lua --stubs .ate')
        assert.equal(0, done.code, done.out .. done.err)
        assert.matches('^%./%.ate/ate%.lua\n%./%.ate/ate/test%.lua\n'
            .. '%./%.ate/sandbox%.lua\n%./%.ate/shop_schema%.lua\n'
            .. '%./%.editorconfig\n%./%.luacheckrc\n%./%.luarc%.json\n'
            .. '%./shop%.lua\n%./shop_test%.lua\n', done.out)
        for _, file in ipairs({'.ate/ate.lua', '.luacheckrc'}) do
            assert.equal(run.read(AUTHOR .. file:match('[^/.]+[%w.]*$')),
                run.read(run.dir .. '/shop/' .. file))
        end
    end)

    it('begins with a standard schema', function()
        for _, name in ipairs({'ledger', 'key_value'}) do
            local folder = run.dir .. '/my_' .. name
            run.ok('new', folder, '--from', 'ate:' .. name)
            local done = run.shell(('cd my_%s && "$ATE" check my_%s.lua '
                .. '--strict && "$ATE" test && luacheck -q .'):format(name,
                name))
            assert.equal(0, done.code, done.out .. done.err)
            assert.matches(' schema my_' .. name .. ' 1: ', ' ' .. done.out)
            assert.matches('\n%d+ passed, 0 failed\n', done.out)
        end
        run.fails(3, 'there are: ate:key_value, ate:ledger', 'new',
            run.dir .. '/x', '--from', 'ate:nothing')
        run.fails(2, 'takes a standard schema, not "bank.lua"; there are: '
            .. 'ate:key_value, ate:ledger', 'new',
            run.dir .. '/x', '--from', 'bank.lua')
        assert.equal(0, os.execute('test ! -e ' .. run.dir .. '/x'))
    end)
end)
