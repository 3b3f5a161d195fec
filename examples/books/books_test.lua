local test = require('ate.test')
test.schema('books.lua')

--- Anna's books with euros, shares, and three accounts.
local function open(t)
    local anna = t:user('anna')
    anna:call('book.put', {name = 'main', owner = 'anna'})
    anna:call('commodity.put', {code = 'EUR', book = 'main', scale = 2,
        tolerance = 1})
    anna:call('commodity.put', {code = 'FUND', book = 'main', scale = 3})
    for name, kind in pairs({bank = 'assets', broker = 'assets',
        food = 'expenses'}) do
        anna:call('account.put', {name = name, book = 'main', kind = kind})
    end
    return anna
end

--- Arguments of `post`: a voucher, a date, then account, units, commodity and
-- weight of each posting.
local function entry(voucher, date, ...)
    local postings = {}
    for i, p in ipairs({...}) do
        postings[i] = {account = p[1], units = p[2], commodity = p[3] or 'EUR'}
        if p[4] ~= nil then
            postings[i].weight = {commodity = 'EUR', amount = p[4]}
        end
    end
    return {book = 'main', voucher = voucher, date = date, narration = '',
        postings = test.list(postings)}
end

local function lunch(voucher, date)
    return entry(voucher, date, {'food', '9.50'}, {'bank', '-9.50'})
end

test.it('an entry moves balances and turnovers', function(t)
    local anna = open(t)
    anna:call('post', lunch('1', '2026-01-31'))
    anna:call('post', lunch('2', '2026-02-01'))
    t:equal(t:view('balance', {account = 'bank'}),
        {{account = 'bank', commodity = 'EUR', amount = '-19.00'}})
    t:equal(t:view('turnover', {period = '2026-01', account = 'food'}),
        {{period = '2026-01', account = 'food', commodity = 'EUR',
            amount = '9.50'}})
    t:equal(anna:call('balance', {account = 'food', commodity = 'EUR'}),
        '19.00')
    t:equal(anna:call('balance', {account = 'broker', commodity = 'EUR'}),
        '0.00')
end)

test.it('what is bought weighs what it cost', function(t)
    local anna = open(t)
    anna:call('post', entry('1', '2026-01-02',
        {'broker', '1.125', 'FUND', '45.00'}, {'bank', '-45.00'}))
    t:equal(t:view('balance', {account = 'broker'}),
        {{account = 'broker', commodity = 'FUND', amount = '1.125'}})
end)

test.it('what is counted in its own commodity weighs its units', function(t)
    local anna = open(t)
    local said = t:refused('other_weight', anna, 'post',
        entry('1', '2026-01-02', {'bank', '1000000.00', 'EUR', '0.00'}))
    t:ok(said:find('bank: 1000000.00 EUR can not weigh 0.00', 1, true), said)
    t:refused('other_weight', anna, 'post', entry('1', '2026-01-02',
        {'bank', '5.00', 'EUR', '9.50'}, {'food', '-9.50'}))
    anna:call('post', entry('1', '2026-01-02', {'food', '9.50', 'EUR', '9.50'},
        {'bank', '-9.50'}))
end)

test.it('an entry is off by no more than the tolerance', function(t)
    local anna = open(t)
    anna:call('post', entry('1', '2026-01-02', {'food', '0.01'}))
    local said = t:refused('unbalanced', anna, 'post',
        entry('2', '2026-01-02', {'food', '9.50'}, {'bank', '-9.48'}))
    t:ok(said:find('off by 0.02 EUR', 1, true), said)
    t:refused('unbalanced', anna, 'post',
        entry('2', '2026-01-02', {'broker', '1.000', 'FUND'}))
end)

test.it('nobody else writes', function(t)
    open(t)
    local bob = t:user('bob')
    t:refused('not_yours', bob, 'post', lunch('1', '2026-01-02'))
    t:refused('not_yours', bob, 'account.put',
        {name = 'hoard', book = 'main', kind = 'assets'})
    t:refused('not_yours', bob, 'commodity.put',
        {code = 'EUR', book = 'main', scale = 2, tolerance = 1000})
    t:refused('not_your_name', bob, 'book.put',
        {name = 'bobs', owner = 'anna'})
end)

test.it('an entry stays within its book', function(t)
    open(t)
    local bob = t:user('bob')
    bob:call('book.put', {name = 'bobs', owner = 'bob'})
    local args = lunch('1', '2026-01-02')
    args.book = 'bobs'
    t:refused('other_book', bob, 'post', args)
end)

test.it('a closed month takes nothing', function(t)
    local anna = open(t)
    anna:call('close', {book = 'main', period = '2026-01'})
    t:refused('period_closed', anna, 'post', lunch('1', '2026-01-31'))
    anna:call('post', lunch('1', '2026-02-01'))
    t:fails('CONFLICT', anna, 'close', {book = 'main', period = '2026-01'})
end)

test.it('a closed account takes nothing after its last day', function(t)
    local anna = open(t)
    anna:call('account.put', {name = 'food', book = 'main', kind = 'expenses',
        closed = '2026-01-31'})
    anna:call('post', lunch('1', '2026-01-31'))
    t:refused('account_closed', anna, 'post', lunch('2', '2026-02-01'))
end)

test.it('a voucher is booked once', function(t)
    local anna = open(t)
    anna:call('post', lunch('1', '2026-01-02'))
    t:fails('CONFLICT', anna, 'post', lunch('1', '2026-01-02'))
end)

test.it('a commodity keeps its scale', function(t)
    local anna = open(t)
    local said = t:fails('INVALID', anna, 'commodity.put',
        {code = 'EUR', book = 'main', scale = 3})
    t:ok(said:find('scale', 1, true), said)
end)
