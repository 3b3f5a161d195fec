--- What is written of reads and methods, beside what the engine takes: it is
-- asked for each with each word of its sources, as a name and as an argument.
local ate = require('ate')

local bank, session

setup(function()
    local folder = assert(ate.open({memory = true}))
    bank = assert(folder:create('bank', 'examples/bank/bank.lua',
        {accept = {'accept-all', 'serializer', 'structured-logic'}}))
    session = folder.session
end)

teardown(function()
    session:close()
end)

local function read_file(path)
    local file = assert(io.open(path))
    local text = file:read('*a')
    file:close()
    return text
end

--- Every text in the sources that could name something.
local function words_of_sources()
    local words = {}
    local list = assert(io.popen('find engine -name "*.c"'))
    for path in list:lines() do
        for word in read_file(path):gmatch('"(%l[%l%d_.]*)"') do
            words[word] = true
        end
    end
    list:close()
    return words
end

local words = words_of_sources()

--- Its answer to an argument that no read and no method has.
local function answer(how, chain, name, argument)
    local value, err = session[how](session, chain, name,
        {[argument] = ate.list({true})})
    return value == nil and err.text or ''
end

local function is_unknown(text, argument)
    return text:find(("no argument '%s'"):format(argument), 1, true) ~= nil
        or text:find(("no field '%s'"):format(argument), 1, true) ~= nil
end

--- What the engine takes: name -> sorted list of arguments.
local function taken(how, chain, is_one)
    local all = {}
    for name in pairs(words) do
        if is_one(name) and is_unknown(answer(how, chain, name, 'no-such'),
            'no-such') then
            local arguments = {}
            for word in pairs(words) do
                if not is_unknown(answer(how, chain, name, word), word) then
                    arguments[#arguments + 1] = word
                end
            end
            table.sort(arguments)
            all[name] = table.concat(arguments, ' ')
        end
    end
    return all
end

--- The arguments of each name, as taken() has them.
local function sorted(sets)
    local all = {}
    for name, set in pairs(sets) do
        local arguments = {}
        for word in pairs(set) do
            arguments[#arguments + 1] = word
        end
        table.sort(arguments)
        all[name] = table.concat(arguments, ' ')
    end
    return all
end

local function add(sets, name, argument)
    sets[name] = sets[name] or {}
    if argument ~= nil then
        sets[name][argument] = true
    end
end

local function add_following(sets, name, text)
    if text:find('follows', 1, true) ~= nil then
        add(sets, name, 'follow')
        add(sets, name, 'from')
    end
end

--- What a comment of ate.h says, from one line of it up to another: lines such
-- as `tail {from?, limit?}   streams   follows`.
local function in_header(first, last)
    local text = read_file('engine/ate.h'):gsub('\n %*', '\n')
        :gsub('}, ate%.', '}\n     ate.')
    local from = assert(text:find(first, 1, true), first)
    local to = assert(text:find(last, from, true), last)
    local sets = {}
    for name, braces, at in text:sub(from, to):gmatch(
        '\n     ([%l.]+) (%b{})()') do
        add(sets, name)
        add_following(sets, name, text:match('[^\n]*', from + at - 1))
        local plain = braces:sub(2, -2):gsub('%b[]', ''):gsub('%b()', '')
        for part in (plain .. ','):gmatch('([^,]*),') do
            add(sets, name, part:match('%l[%l%d_]*'))
        end
    end
    return sorted(sets)
end

--- What a table of docs/reads.md says.
local function in_docs()
    local sets = {}
    for name, arguments, gives in read_file('docs/reads.md'):gmatch(
        '\n| `(%l+)` | ([^|]*)| ([^|]*)|%f[\n]') do
        add(sets, name)
        add_following(sets, name, gives)
        for word in arguments:gmatch('`([^`]+)`') do
            add(sets, name, word)
        end
    end
    return sorted(sets)
end

describe('reads', function()
    local all

    setup(function()
        all = taken('read', 'bank', function() return true end)
    end)

    it('take what ate.h says', function()
        assert.same(all, in_header('Read what is durable', 'What streams'))
    end)

    it('take what docs/reads.md says', function()
        assert.same(all, in_docs())
    end)

    -- What says of which object stands in front there, the rest in options.
    it('take in scripts what they take', function()
        local front = {get = {'account', 'a'}, history = {'account', 'a'},
            list = {'account'}, tail = {}, view = {'balance', {}},
            call = {'m', {}}}
        local is_front = {args = true, key = true, method = true, type = true,
            view = true, where = true}
        for read, before in pairs(front) do
            for word in all[read]:gmatch('%S+') do
                local given = {unpack(before)}
                given[#given + 1] = {[word] = 'x'}
                local follows = all[read]:find('follow', 1, true)
                local ok, raised = pcall(follows and bank.follow or bank.each,
                    bank, read, unpack(given))
                if not is_front[word] and word ~= 'follow' then
                    assert(ok or type(raised) == 'table', raised)
                end
            end
        end
    end)
end)

describe('methods', function()
    it('of the node take what ate.h says', function()
        assert.same(taken('call', nil, function() return true end),
            in_header('The node\'s own methods', 'Methods that every chain'))
    end)

    it('of every chain take what ate.h says', function()
        -- These the node calls for workers, and nobody else.
        local own = {['ate.work'] = true, ['ate.ask'] = true,
            ['ate.answer'] = true, ['ate.park'] = true}
        assert.same(taken('call', 'bank', function(name)
            return name:find('^ate%.') ~= nil and not own[name]
        end), in_header('Methods that every chain', 'uint64_t ate_call'))
    end)
end)
