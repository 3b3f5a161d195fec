--- What is still known of objects that were deleted.
local run = require('helper')

local SHOP = [[
local ate = require('ate')
local t = ate.types
local shop = ate.schema('shop', {doc = 'A shop.', version = 1})
shop:object('currency', {
    doc = 'What prices are in.',
    key = {'code'},
    header = {code = t.name(), scale = t.once(t.integer({min = 0, max = 18}))},
})
shop:object('shelf', {
    doc = 'Where things stand.',
    key = {'name'},
    header = {name = t.name()},
})
shop:object('item', {
    doc = 'What is sold.',
    parent = 'shelf',
    key = {'number'},
    header = {
        shelf = t.ref('shelf'),
        number = t.integer(),
        currency = t.ref('currency'),
        price = t.amount({of = 'currency'}),
    },
})
shop:view('stock', {
    doc = 'Prices by shelf.',
    key = {'shelf', 'currency'},
    row = {
        shelf = t.ref('shelf'),
        currency = t.ref('currency'),
        price = t.default(t.amount({of = 'currency'}), 0),
    },
    fold = {
        item = function(rows, item)
            if item.change == 'new' then
                rows:add({shelf = item.shelf, currency = item.currency},
                    {price = item.price})
            end
        end,
    },
})
return shop
]]

local function call(...)
    return run.ok('call', 'shop', ...)
end

before_each(function()
    run.begin()
    run.write(run.dir .. '/shop.lua', SHOP)
    run.ok('chain', 'create', 'shop', '--schema', run.dir .. '/shop.lua')
    call('currency.put', 'code=EUR', 'scale=2')
    call('shelf.put', 'name=#6ae2')
    call('item.put', 'shelf=#6ae2', 'number=1', 'currency=EUR', 'price=1.50')
    call('shelf.delete', 'name=#6ae2')
    call('currency.delete', 'code=EUR')
end)
after_each(run.finish)

describe('what was deleted', function()
    it('is called as before, and amounts of it keep their scale', function()
        assert.matches('1 +EUR +1%.50 +#6ae2\n',
            run.ok('list', 'shop', 'item'))
        assert.matches('#6ae2 +EUR +1%.50\n', run.ok('view', 'shop', 'stock'))
        assert.matches('%- shelf #6ae2', run.ok('chain', 'tail', 'shop'))
    end)

    it('is found under its key', function()
        local spent = 'shelf #6ae2 was deleted, and its key is spent'
        run.fails(3, spent, 'get', 'shop', 'shelf', '#6ae2')
        run.fails(3, spent, 'call', 'shop', 'shelf.get', 'name=#6ae2')
        run.fails(5, spent, 'call', 'shop', 'shelf.put', 'name=#6ae2')
        call('currency.put', 'code=GBP', 'scale=2')
        run.fails(3, spent, 'call', 'shop', 'item.put', 'shelf=#6ae2',
            'number=2', 'currency=GBP', 'price=1')
        run.fails(3, 'currency EUR was deleted', 'call', 'shop',
            'currency.patch', 'code=EUR')
        run.fails(3, 'no shelf \'none\'', 'get', 'shop', 'shelf', 'none')
    end)

    it('leads to what is below it', function()
        assert.matches('price +1%.50', run.ok('get', 'shop', 'item', '#6ae2/1'))
        assert.matches('1%.50',
            run.ok('list', 'shop', 'item', '--parent', '#6ae2'))
        assert.matches('1%.50', run.ok('view', 'shop', 'stock', 'shelf=#6ae2'))
        call('currency.put', 'code=GBP', 'scale=2')
        run.fails(3, 'shelf #6ae2 was deleted', 'call', 'shop', 'item.patch',
            'shelf=#6ae2', 'number=1', 'currency=GBP', 'price=2')
        call('item.delete', 'shelf=#6ae2', 'number=1')
        run.fails(3, 'item #6ae2/1 was deleted', 'get', 'shop', 'item',
            '#6ae2/1')
    end)

    it('has its history, with bodies, the newest version first', function()
        run.notes()
        run.ok('call', 'notes', 'note.put', 'name=a', 'text=short')
        run.ok('call', 'notes', 'note.delete', 'name=a')
        local versions = run.json('history', 'notes', 'note', 'a')
        local changes = {}
        for i, version in ipairs(versions) do
            assert.equal('a', version.id)
            changes[i] = version._.change
        end
        assert.same({'delete', 'edit', 'new'}, changes)
        assert.is_nil(versions[1].text)
        assert.equal('short', versions[2].text)
        assert.equal(('All work and no play. '):rep(1000), versions[3].text)
        assert.matches('edit +a +short\n',
            run.ok('history', 'notes', 'note', 'a'))
        run.fails(3, 'no note', 'history', 'notes', 'note', 'b')
    end)

    it('stands in the state root as docs/format.md says', function()
        run.notes() -- without views, so the checker knows the whole state
        run.ok('call', 'notes', 'note.put', 'name=b', 'text=x')
        run.ok('call', 'notes', 'note.delete', 'name=a')
        local state = run.json('chain', 'info', 'notes', '--state')
            .state_root
        local done = run.shell(('%s %s --state %s'):format(
            run.quote(run.root .. '/checker/cli.mjs'),
            run.quote(run.path('notes')), state))
        assert.equal(0, done.code, done.err)
    end)
end)
