-- Objects with a key and 200 bytes, as many as are wanted.
local ate = require('ate')
local t = ate.types
local keys = ate.schema('keys', {doc = 'What `make bench` opens and reads.', version = 1, bodies = 'open'})

local function key_of(n)
    return ('k%07d'):format(n)
end

keys:object('item', {
    doc = 'A key and its value.',
    key = {'name'},
    header = {name = t.name({max = 40}), text = t.text({max = 400})},
})
keys:method('fill', {
    doc = 'Make so many, from a number on.',
    mode = 'write',
    args = {count = t.name(), from = t.name(), text = t.text()},
    run = function(ctx, args)
        local from = tonumber(args.from)
        for n = from, from + tonumber(args.count) - 1 do
            ctx:create('item', {name = key_of(n), text = args.text})
        end
    end,
})
keys:method('get_many', {
    doc = 'Look up so many keys, one after the other; gives how many bytes they have.',
    mode = 'read',
    args = {count = t.name(), of = t.name()},
    returns = t.integer(),
    run = function(ctx, args)
        local bytes = 0
        local of = tonumber(args.of)
        for n = 1, tonumber(args.count) do
            bytes = bytes + #ctx:get('item', key_of(n * 7919 % of)).text
        end
        return bytes
    end,
})
keys:method('scan_many', {
    doc = 'Read so many ranges of 100; gives how many bytes they have.',
    mode = 'read',
    args = {count = t.name(), of = t.name()},
    returns = t.integer(),
    run = function(ctx, args)
        local bytes = 0
        local of = tonumber(args.of) - 100
        for n = 1, tonumber(args.count) do
            local range = {after = key_of(n * 7919 % of), limit = 100}
            for item in ctx.state.item:each(nil, range) do
                bytes = bytes + #item.text
            end
        end
        return bytes
    end,
})
return keys
