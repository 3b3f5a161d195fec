local test = require('ate.test')
test.schema('books.lua')

local ACCOUNTS = {cash = 'assets', shares = 'assets', food = 'expenses',
    pay = 'income'}

--- Books with two currencies and shares; `me` made the chain.
local function books(t)
    local me = t:user('me')
    me:call('book.create', {name = 'shop'})
    me:call('commodity.create', {code = 'EUR', scale = 2, tolerance = 1})
    me:call('commodity.create', {code = 'JPY', scale = 0})
    me:call('commodity.create', {code = 'ATE', scale = 6})
    for _, name in ipairs({'cash', 'shares', 'food', 'pay'}) do
        me:call('account.create', {name = name, kind = ACCOUNTS[name]})
    end
    return me, t:user('ann')
end

--- A posting, weighed in its own commodity unless said otherwise.
local function posting(account, units, commodity, weight, weighed_in)
    return {account = account, units = units, commodity = commodity,
        weight = weight or units, weighed_in = weighed_in or commodity}
end

local function entry(date, ...)
    return {book = 'shop', date = date, postings = {...}, narration = 'x'}
end

local function lunch(date, units)
    return entry(date, posting('food', units, 'EUR'),
        posting('cash', '-' .. units, 'EUR'))
end

test.it('an entry moves what its postings say', function(t)
    local me = books(t)
    t:ok(me:call('post', lunch('2026-01-10', '12.50')))
    me:call('post', lunch('2026-01-20', '0.50'))
    me:call('post', lunch('2026-02-01', '7.00'))
    t:equal(t:view('balance', {account = 'food'}), {
        {account = 'food', commodity = 'EUR', period = '2026-01',
            amount = '13.00'},
        {account = 'food', commodity = 'EUR', period = '2026-02',
            amount = '7.00'},
    })
    t:equal(me:call('balance', {account = 'cash', commodity = 'EUR'}), '-20.00')
    t:equal(t:sum('balance', 'amount', {account = 'cash', commodity = 'EUR'}),
        '-20.00')
end)

test.it('each commodity has a scale of its own', function(t)
    local me = books(t)
    me:call('post', entry('2026-01-02',
        posting('shares', '1.000001', 'ATE', '161', 'JPY'),
        posting('cash', '-161', 'JPY')))
    t:equal(me:call('balance', {account = 'shares', commodity = 'ATE'}),
        '1.000001')
    t:equal(me:call('balance', {account = 'cash', commodity = 'JPY'}), '-161')
    t:equal(me:call('balance', {account = 'cash', commodity = 'EUR'}), '0.00')
    t:fails('INVALID', me, 'post', entry('2026-01-02',
        posting('food', '0.5', 'JPY'), posting('cash', '-0.5', 'JPY')))
end)

test.it('only those who may post book entries', function(t)
    local me, ann = books(t)
    t:refused('may_post', ann, 'post', lunch('2026-01-10', '1.00'))
    t:refused('may_post', ann, 'entry.append', lunch('2026-01-10', '1.00'))
    me:call('entry.append', lunch('2026-01-10', '1.00'))
    t:equal(#t:list('entry'), 1)
end)

test.it('who was granted a right has it, on that book, until it ends',
    function(t)
        local me, ann = books(t)
        me:call('book.create', {name = 'club'})
        local grant = me:call('ate.grant', {to = 'ann', rights = {'post'},
            object = 'book/shop'})
        ann:call('post', lunch('2026-01-10', '1.00'))
        t:refused('may_close', ann, 'close', {book = 'shop',
            period = '2026-01'})
        local other = lunch('2026-01-10', '1.00')
        other.book = 'club'
        t:refused('may_post', ann, 'post', other)
        me:call('ate.revoke', {grant = grant})
        t:refused('may_post', ann, 'post', lunch('2026-01-10', '1.00'))
        me:call('ate.grant', {to = 'ann', rights = {'close'},
            object = 'book/shop', ['until'] = '2026-01-02T00:00:00Z'})
        ann:call('close', {book = 'shop', period = '2025-11'})
        t:advance('1 day')
        t:refused('may_close', ann, 'close', {book = 'shop',
            period = '2025-12'})
    end)

test.it('a period is closed once, by those who may', function(t)
    local me, ann = books(t)
    t:refused('may_close', ann, 'close', {book = 'shop', period = '2026-01'})
    t:equal(t:view('period'), {})
    me:call('close', {book = 'shop', period = '2026-01'})
    t:equal(t:view('period'), {{period = '2026-01', closed = true}})
    t:fails('CONFLICT', me, 'close', {book = 'shop', period = '2026-01'})
    me:call('close', {book = 'shop', period = '2026-02'})
end)

test.it('the weights of an entry sum to nothing', function(t)
    local me = books(t)
    local said = t:refused('unbalanced', me, 'post', entry('2026-01-10',
        posting('food', '12.50', 'EUR'), posting('cash', '-12.40', 'EUR')))
    t:ok(said:find('off by 0.10 EUR', 1, true), said)
    -- EUR bears a cent, JPY nothing; what is more in one is not less in another.
    me:call('post', entry('2026-01-10',
        posting('food', '12.50', 'EUR'), posting('cash', '-12.49', 'EUR')))
    t:refused('unbalanced', me, 'post', entry('2026-01-10',
        posting('food', '12', 'JPY'), posting('cash', '-11', 'JPY')))
    t:refused('unbalanced', me, 'post', entry('2026-01-10',
        posting('food', '12', 'JPY'), posting('cash', '-12.00', 'EUR')))
    t:refused('unbalanced', me, 'post', entry('2026-01-10',
        posting('shares', '2.000000', 'ATE', '300.00', 'EUR'),
        posting('cash', '-2.00', 'EUR')))
    t:equal(me:call('balance', {account = 'cash', commodity = 'EUR'}), '-12.49')
end)

test.it('an entry has two postings or more', function(t)
    local me = books(t)
    t:fails('INVALID', me, 'post', entry('2026-01-10',
        posting('food', '0.00', 'EUR')))
    local none = entry('2026-01-10')
    none.postings = test.list({})
    t:fails('INVALID', me, 'post', none)
end)

test.it('nothing is booked into a closed period', function(t)
    local me = books(t)
    me:call('close', {book = 'shop', period = '2026-01'})
    local said = t:refused('period_closed', me, 'post',
        lunch('2026-01-31', '1.00'))
    t:ok(said:find('2026-01 is closed', 1, true), said)
    me:call('post', lunch('2026-02-01', '1.00'))
    me:call('post', lunch('2025-12-31', '1.00'))
end)

test.it('what is booked on has to be there', function(t)
    local me = books(t)
    me:call('post', lunch('2026-01-10', '1.00'))
    me:call('account.delete', {name = 'pay'})
    t:fails('NOT_FOUND', me, 'post', entry('2026-01-10',
        posting('pay', '-1.00', 'EUR'), posting('cash', '1.00', 'EUR')))
    t:fails('NOT_FOUND', me, 'post', entry('2026-01-10',
        posting('food', '1.00', 'USD'), posting('cash', '-1.00', 'USD')))
    t:fails('CONFLICT', me, 'account.create', {name = 'pay', kind = 'income'})
end)

test.it('scale and kind are set once', function(t)
    local me = books(t)
    t:fails('INVALID', me, 'commodity.put', {code = 'EUR', scale = 3})
    t:fails('INVALID', me, 'account.patch', {name = 'cash', kind = 'income'})
    me:call('commodity.patch', {code = 'EUR', tolerance = 0})
    t:refused('unbalanced', me, 'post', entry('2026-01-10',
        posting('food', '12.50', 'EUR'), posting('cash', '-12.49', 'EUR')))
    me:call('account.patch', {name = 'food', closed = '2026-12-31'})
    t:equal(t:get('account', 'food').closed, '2026-12-31')
    me:call('account.patch', {name = 'food', closed = test.null})
    t:equal(t:get('account', 'food').closed, nil)
    t:equal(#t:history('account', 'food'), 3)
end)

test.it('payee and narration are told to readers', function(t)
    local me = books(t)
    local args = lunch('2026-01-10', '1.00')
    args.payee, args.narration = 'Cafe', 'Lunch'
    local place = me:call('post', args)
    local read = t:get('entry', place)
    t:equal(read.payee, 'Cafe')
    t:equal(read.narration, 'Lunch')
    t:equal(read.postings[2].units, '-1.00')
end)
