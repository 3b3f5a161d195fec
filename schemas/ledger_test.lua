local test = require('ate.test')
test.schema('ate:ledger')

--- Anna's books: euros and shares, five accounts. The till never goes below
-- zero, the loan never above. It is April 2026.
local function open(t)
    local anna = t:user('anna')
    t:at('2026-04-10T09:00:00Z')
    anna:call('book.create', {name = 'main', owner = 'anna'})
    anna:call('commodity.create', {book = 'main', code = 'EUR', scale = 2})
    anna:call('commodity.create', {book = 'main', code = 'FUND', scale = 3})
    for name, more in pairs({
        till = {kind = 'assets', sign = 'not_negative'},
        loan = {kind = 'liabilities', sign = 'not_positive'},
        broker = {kind = 'assets'},
        food = {kind = 'expenses'},
        wage = {kind = 'income'},
    }) do
        anna:call('account.create', {book = 'main', name = name,
            kind = more.kind, sign = more.sign})
    end
    return anna
end

--- Arguments of `post`: then account, amount and commodity of each posting.
local function entry(voucher, date, ...)
    local postings = {}
    for i, p in ipairs({...}) do
        postings[i] = {account = 'main/' .. p[1], amount = p[2],
            commodity = 'main/' .. (p[3] or 'EUR')}
    end
    return {book = 'main', voucher = voucher, date = date,
        postings = test.list(postings)}
end

local function wage(voucher, date, amount)
    return entry(voucher, date, {'till', amount}, {'wage', '-' .. amount})
end

local function lunch(voucher, date)
    return entry(voucher, date, {'food', '9.50'}, {'till', '-9.50'})
end

local function holds(t, account)
    local rows = t:view('balance', {account = 'main/' .. account})
    return rows[1] and rows[1].amount
end

-- ---- what entries add up to ----

test.it('an entry moves balances', function(t)
    local anna = open(t)
    local args = wage('1', '2026-04-01', '100.00')
    args.text = 'March'
    t:equal(anna:call('post', args), 'main/1')
    anna:call('post', lunch('2', '2026-04-02'))
    t:equal(holds(t, 'till'), '90.50')
    t:equal(holds(t, 'wage'), '-100.00')
    t:equal(t:get('entry', 'main/1').text, 'March')
    t:equal(anna:call('balance',
        {account = 'main/till', commodity = 'main/EUR'}), '90.50')
    t:equal(anna:call('balance',
        {account = 'main/broker', commodity = 'main/EUR'}), '0.00')
end)

test.it('months have turnovers and balances of their own', function(t)
    local anna = open(t)
    anna:call('post', wage('1', '2026-02-28', '100.00'))
    anna:call('post', lunch('2', '2026-03-01'))
    anna:call('post', wage('3', '2026-03-31', '50.00'))
    t:equal(t:view('turnover', {account = 'main/till',
        commodity = 'main/EUR', period = '2026-03'}), {{
        account = 'main/till', commodity = 'main/EUR', period = '2026-03',
        debit = '50.00', credit = '9.50', amount = '40.50', netted = 0,
    }})
    local function at(period)
        return anna:call('balance', {account = 'main/till',
            commodity = 'main/EUR', period = period})
    end
    t:equal(at('2026-01'), '0.00')
    t:equal(at('2026-02'), '100.00')
    t:equal(at('2026-03'), '140.50')
    t:equal(at('2027-01'), '140.50')
end)

-- Who may post could otherwise make it more than numbers hold, for good.
test.it('the turnover of a month has no end', function(t)
    local anna = open(t)
    local most, voucher = '30000000000000.00', 0
    local function move(from, to, date, amount)
        voucher = voucher + 1
        return entry('v' .. voucher, date, {to, amount or most},
            {from, '-' .. (amount or most)})
    end
    for _ = 1, 4 do
        anna:call('post', move('food', 'broker', '2026-03-01'))
        anna:call('post', move('broker', 'food', '2026-03-31'))
    end
    anna:call('post', move('food', 'broker', '2026-03-15', '0.07'))
    local row = t:view('turnover', {account = 'main/broker'})[1]
    t:equal(row.amount, '0.07')
    t:ok(row.netted > 0, row.netted)
    local left = (4 * 3000 - row.netted) * 10 ^ 12 -- four times `most`
    local function units(text)
        return tonumber((text:gsub('%.', '')))
    end
    t:equal(units(row.debit) - left, 7)
    t:equal(units(row.credit) - left, 0)
    t:equal(anna:call('balance', {account = 'main/broker',
        commodity = 'main/EUR', period = '2026-03'}), '0.07')
    anna:call('reverse', {entry = 'main/v9', voucher = 'back'})
    t:equal(holds(t, 'broker'), '0.00')
end)

test.it('no month ends with more than an account may hold', function(t)
    local anna = open(t)
    local most = '30000000000000.00'
    anna:call('post', entry('1', '2026-02-01', {'broker', most},
        {'food', '-' .. most}))
    anna:call('post', entry('2', '2026-04-01', {'food', most},
        {'broker', '-' .. most}))
    t:equal(holds(t, 'broker'), '0.00')
    local said = t:refused('too_much', anna, 'post',
        entry('3', '2026-03-01', {'broker', '0.01'}, {'food', '-0.01'}))
    t:ok(said:find('30000000000000.01 main/EUR, which is too much', 1, true)
        or said:find('-30000000000000.01', 1, true), said)
    t:refused('too_much', anna, 'post',
        entry('3', '2026-01-31', {'broker', '0.01'}, {'food', '-0.01'}))
    anna:call('post', entry('3', '2026-04-30', {'broker', '0.01'},
        {'food', '-0.01'}))
    anna:call('post', entry('4', '2026-01-01', {'food', '0.01'},
        {'broker', '-0.01'}))
    t:equal(anna:call('balance', {account = 'main/broker',
        commodity = 'main/EUR', period = '2026-03'}), '29999999999999.99')
end)

test.it('an entry is not dated far ahead', function(t)
    local anna = open(t)
    anna:call('post', wage('1', '2036-12-31', '1.00'))
    t:refused('far_ahead', anna, 'post', wage('2', '2037-01-01', '1.00'))
end)

test.it('an entry may have several commodities, each of which balances',
    function(t)
        local anna = open(t)
        anna:call('post', wage('1', '2026-04-01', '100.00'))
        anna:call('post', entry('2', '2026-04-02',
            {'broker', '1.125', 'FUND'}, {'wage', '-1.125', 'FUND'},
            {'broker', '45.00'}, {'till', '-45.00'}))
        t:equal(t:view('balance', {account = 'main/broker'}), {
            {account = 'main/broker', commodity = 'main/EUR',
                amount = '45.00'},
            {account = 'main/broker', commodity = 'main/FUND',
                amount = '1.125'},
        })
        local said = t:refused('unbalanced', anna, 'post',
            entry('3', '2026-04-02', {'broker', '1.000', 'FUND'},
                {'till', '-1.00'}))
        t:ok(said:find('the entry is off by ', 1, true), said)
    end)

test.it('what does not balance to the last unit is refused', function(t)
    local anna = open(t)
    local said = t:refused('unbalanced', anna, 'post',
        entry('1', '2026-04-01', {'till', '9.50'}, {'wage', '-9.49'}))
    t:ok(said:find('off by 0.01 main/EUR', 1, true), said)
    t:refused('unbalanced', anna, 'entry.append',
        entry('1', '2026-04-01', {'till', '9.50'}, {'wage', '9.50'}))
    t:fails('INVALID', anna, 'post', entry('1', '2026-04-01', {'till', '1'}))
    t:fails('INVALID', anna, 'post',
        entry('1', '2026-04-01', {'till', '9.505'}, {'wage', '-9.505'}))
    t:equal(t:view('balance'), {})
end)

test.it('a posting moves something', function(t)
    local anna = open(t)
    local said = t:refused('posts_nothing', anna, 'post',
        entry('1', '2026-04-01', {'till', '0.00'}, {'wage', '0.00'}))
    t:ok(said:find('nothing is posted to main/till', 1, true), said)
end)

test.it('a voucher is posted once', function(t)
    local anna = open(t)
    anna:call('post', wage('1', '2026-04-01', '1.00'))
    t:fails('CONFLICT', anna, 'post', wage('1', '2026-04-02', '2.00'))
    t:equal(holds(t, 'till'), '1.00')
end)

test.it('all balances of a book sum to nothing', function(t)
    local anna = open(t)
    anna:call('post', wage('1', '2026-04-01', '100.00'))
    anna:call('post', lunch('2', '2026-04-02'))
    anna:call('post', entry('3', '2026-04-03', {'loan', '-7.25'},
        {'broker', '5.00'}, {'till', '2.25'}))
    anna:call('reverse', {entry = 'main/2', voucher = '4'})
    local cents, accounts = 0, 0
    for _, row in ipairs(t:view('balance')) do
        cents = cents + tonumber((row.amount:gsub('%.', '')))
        accounts = accounts + 1
    end
    t:equal(cents, 0)
    t:equal(accounts, 5)
end)

-- ---- signs and sizes ----

test.it('an account that may not go below zero does not', function(t)
    local anna = open(t)
    anna:call('post', wage('1', '2026-04-01', '9.49'))
    local said = t:refused('wrong_sign', anna, 'post',
        lunch('2', '2026-04-02'))
    t:ok(said:find('main/till would hold -0.01 main/EUR', 1, true), said)
    -- Nor in another commodity, nor in two steps of one entry.
    t:refused('wrong_sign', anna, 'post', entry('2', '2026-04-02',
        {'till', '-1.000', 'FUND'}, {'broker', '1.000', 'FUND'}))
    t:refused('wrong_sign', anna, 'post', entry('2', '2026-04-02',
        {'till', '-9.00'}, {'till', '-9.00'}, {'food', '18.00'}))
    -- What counts is where the entry ends.
    anna:call('post', entry('2', '2026-04-02',
        {'till', '-20.00'}, {'till', '10.51'}, {'food', '9.49'}))
    t:equal(holds(t, 'till'), '0.00')
end)

test.it('an account that may not go above zero does not', function(t)
    local anna = open(t)
    anna:call('post', entry('1', '2026-04-01', {'till', '500.00'},
        {'loan', '-500.00'}))
    t:refused('wrong_sign', anna, 'post', entry('2', '2026-04-02',
        {'loan', '500.01'}, {'wage', '-500.01'}))
    anna:call('post', entry('2', '2026-04-02', {'loan', '500.00'},
        {'till', '-500.00'}))
    t:fails('INVALID', anna, 'account.put', {book = 'main', name = 'loan',
        kind = 'liabilities', sign = 'any'})
end)

test.it('the sign holds in the order of posting, not in that of dates',
    function(t)
        local anna = open(t)
        anna:call('post', wage('1', '2027-01-31', '9.50'))
        anna:call('post', lunch('2', '2026-04-02'))
        t:refused('wrong_sign', anna, 'post', lunch('3', '2027-02-01'))
        local till = {account = 'main/till', commodity = 'main/EUR'}
        t:equal(anna:call('balance', till), '0.00')
        till.period = '2026-04'
        t:equal(anna:call('balance', till), '-9.50')
    end)

test.it('sums stay exact, however large', function(t)
    local anna = open(t)
    local most = '30000000000000.00'
    anna:call('post', wage('1', '2026-04-01', most))
    t:equal(holds(t, 'till'), most)
    local said = t:refused('too_much', anna, 'post',
        wage('2', '2026-04-01', '0.01'))
    t:ok(said:find('would hold 30000000000000.01 main/EUR, which is too much',
        1, true) or said:find('would hold -30000000000000.01', 1, true), said)
    t:refused('moves_too_much', anna, 'post', entry('2', '2026-04-01',
        {'till', most}, {'food', most}, {'wage', '-' .. most},
        {'wage', '-' .. most}))
    t:fails('INVALID', anna, 'post',
        wage('2', '2026-04-01', '30000000000000.01'))
    local many = {}
    for i = 1, 500 do
        many[i] = {'till', '-' .. most}
    end
    t:refused('moves_too_much', anna, 'post',
        entry('2', '2026-04-01', unpack(many)))
end)

test.it('an entry has up to 500 postings', function(t)
    local anna = open(t)
    local many = {}
    for i = 1, 250 do
        anna:call('account.create',
            {book = 'main', name = 'm' .. i, kind = 'assets'})
        many[2 * i - 1] = {'m' .. i, '0.01'}
        many[2 * i] = {'wage', '-0.01'}
    end
    anna:call('post', entry('1', '2026-04-01', unpack(many)))
    t:equal(holds(t, 'wage'), '-2.50')
    many[501] = {'wage', '-0.01'}
    t:fails('INVALID', anna, 'post', entry('2', '2026-04-01', unpack(many)))
end)

-- ---- who may ----

test.it('nobody else writes in a book', function(t)
    local anna = open(t)
    anna:call('post', wage('1', '2026-04-01', '1.00'))
    local bob = t:user('bob')
    t:refused('not_your_name', bob, 'book.create',
        {name = 'bobs', owner = 'anna'})
    t:refused('may_not_post', bob, 'post', lunch('2', '2026-04-02'))
    t:refused('may_not_post', bob, 'reverse',
        {entry = 'main/1', voucher = '2'})
    t:refused('may_not_close', bob, 'close',
        {book = 'main', period = '2026-03'})
    t:refused('may_not_keep', bob, 'account.create',
        {book = 'main', name = 'hoard', kind = 'assets'})
    t:refused('may_not_keep', bob, 'account.patch',
        {book = 'main', name = 'food', closed = '2026-04-01'})
    t:refused('may_not_keep', bob, 'commodity.create',
        {book = 'main', code = 'BOB', scale = 0})
end)

test.it('a right lets somebody do one thing in one book', function(t)
    local anna, bob, me = open(t), t:user('bob'), t:user('me')
    bob:call('book.create', {name = 'bobs', owner = 'bob'})
    local grant = me:call('ate.grant',
        {to = 'bob', rights = {'post'}, object = 'book/main'})
    bob:call('post', wage('1', '2026-04-01', '10.00'))
    t:refused('may_not_close', bob, 'close',
        {book = 'main', period = '2026-03'})
    t:refused('may_not_keep', bob, 'account.create',
        {book = 'main', name = 'hoard', kind = 'assets'})
    me:call('ate.revoke', {grant = grant})
    t:refused('may_not_post', bob, 'post', lunch('2', '2026-04-02'))
    me:call('ate.grant', {to = 'bob', rights = {'close', 'keep'},
        object = 'book/main'})
    bob:call('close', {book = 'main', period = '2026-03'})
    bob:call('account.create',
        {book = 'main', name = 'bank', kind = 'assets'})
    anna:call('post', lunch('2', '2026-04-02'))
end)

test.it('an entry stays within its book', function(t)
    local anna, bob = open(t), t:user('bob')
    bob:call('book.create', {name = 'bobs', owner = 'bob'})
    bob:call('commodity.create', {book = 'bobs', code = 'EUR', scale = 2})
    bob:call('account.create',
        {book = 'bobs', name = 'till', kind = 'assets'})
    local args = wage('1', '2026-04-01', '1.00')
    args.book = 'bobs'
    t:refused('other_book', bob, 'post', args)
    for _, p in ipairs(args.postings) do
        p.account = 'bobs/till'
    end
    t:refused('other_book', bob, 'post', args) -- with Anna's euros
    args.book, args.postings[1].commodity = 'main', 'bobs/EUR'
    t:refused('other_book', anna, 'post', args)
end)

-- ---- months and accounts that close ----

test.it('a closed month takes nothing, nor one before', function(t)
    local anna = open(t)
    anna:call('post', wage('1', '2026-03-31', '100.00'))
    anna:call('close', {book = 'main', period = '2026-03'})
    local said = t:refused('period_closed', anna, 'post',
        lunch('2', '2026-03-31'))
    t:ok(said:find('main is closed up to 2026-03', 1, true), said)
    t:refused('period_closed', anna, 'post', lunch('2', '2026-01-01'))
    t:refused('period_closed', anna, 'entry.append', lunch('2', '2025-12-31'))
    t:refused('period_closed', anna, 'reverse',
        {entry = 'main/1', voucher = '2', date = '2026-03-31'})
    anna:call('post', lunch('2', '2026-04-01'))
end)

test.it('months are closed in their order, once, when they are over',
    function(t)
        local anna = open(t)
        t:refused('not_over', anna, 'close',
            {book = 'main', period = '2026-04'})
        t:refused('not_over', anna, 'close',
            {book = 'main', period = '9999-12'})
        anna:call('close', {book = 'main', period = '2026-02'})
        t:fails('CONFLICT', anna, 'close',
            {book = 'main', period = '2026-02'})
        local said = t:refused('closed_before', anna, 'close',
            {book = 'main', period = '2026-01'})
        t:ok(said:find('closed up to 2026-02 already', 1, true), said)
        t:at('2026-04-30T23:59:59Z')
        t:refused('not_over', anna, 'close',
            {book = 'main', period = '2026-04'})
        t:at('2026-05-01T00:00:00Z')
        anna:call('close', {book = 'main', period = '2026-04'})
        t:equal(t:view('open_from'),
            {{book = 'main', period = '2026-05', closed = '2026-04'}})
        t:at('2027-01-01T00:00:00Z')
        anna:call('close', {book = 'main', period = '2026-12'})
        t:equal(t:view('open_from')[1].period, '2027-01')
    end)

test.it('books close by themselves', function(t)
    local anna, bob = open(t), t:user('bob')
    bob:call('book.create', {name = 'bobs', owner = 'bob'})
    bob:call('close', {book = 'bobs', period = '2026-03'})
    anna:call('post', wage('1', '2026-03-31', '100.00'))
end)

test.it('an account takes nothing after the day it was closed', function(t)
    local anna = open(t)
    anna:call('post', wage('1', '2026-04-01', '100.00'))
    anna:call('post', lunch('2', '2026-04-05'))
    local said = t:refused('used_later', anna, 'account.patch',
        {book = 'main', name = 'food', closed = '2026-04-04'})
    t:ok(said:find('food has postings of 2026-04-05', 1, true), said)
    anna:call('account.patch',
        {book = 'main', name = 'food', closed = '2026-04-05'})
    anna:call('post', lunch('3', '2026-04-05'))
    t:refused('account_closed', anna, 'post', lunch('4', '2026-04-06'))
    t:refused('account_closed', anna, 'reverse',
        {entry = 'main/3', voucher = '4', date = '2026-04-06'})
    anna:call('reverse', {entry = 'main/3', voucher = '4',
        date = '2026-04-05'})
    t:fails('NOT_FOUND', anna, 'account.delete',
        {book = 'main', name = 'food'})
end)

-- ---- mistakes ----

test.it('a mistake is undone by a reversal', function(t)
    local anna = open(t)
    anna:call('post', wage('1', '2026-03-31', '100.00'))
    anna:call('close', {book = 'main', period = '2026-03'})
    t:equal(anna:call('reverse', {entry = 'main/1', voucher = '2',
        text = 'Posted to the wrong account.'}), 'main/2')
    local reversal = t:get('entry', 'main/2')
    t:equal(reversal.date, '2026-04-10') -- today, as March is closed
    t:equal(reversal.reverses, 'main/1')
    t:equal(holds(t, 'till'), '0.00')
    t:equal(t:view('reversed'), {{entry = 'main/1', by = 'main/2'}})
end)

test.it('a reversal undoes one entry, all of it, once', function(t)
    local anna = open(t)
    anna:call('post', wage('1', '2026-04-05', '100.00'))
    anna:call('post', wage('2', '2026-04-05', '100.00'))
    local args = entry('3', '2026-04-06', {'till', '-60.00'},
        {'wage', '60.00'})
    args.reverses = 'main/1'
    local said = t:refused('not_the_opposite', anna, 'post', args)
    t:ok(said:find('3 does not undo main/1', 1, true), said)
    t:refused('not_the_opposite', anna, 'reverse',
        {entry = 'main/1', voucher = '3', date = '2026-04-04'})
    anna:call('reverse', {entry = 'main/1', voucher = '3'})
    said = t:refused('reversed_before', anna, 'reverse',
        {entry = 'main/1', voucher = '4'})
    t:ok(said:find('main/1 was reversed by main/3', 1, true), said)
    t:refused('is_a_reversal', anna, 'reverse',
        {entry = 'main/3', voucher = '4'})
    t:fails('NOT_FOUND', anna, 'reverse', {entry = 'main/9', voucher = '4'})
    anna:call('reverse', {entry = 'main/2', voucher = '4'})
end)

-- Undone again, the till would hold less than nothing.
test.it('a reversal that is said twice is told as such', function(t)
    local anna = open(t)
    anna:call('post', wage('1', '2026-04-05', '100.00'))
    anna:call('reverse', {entry = 'main/1', voucher = '2'})
    t:refused('reversed_before', anna, 'reverse',
        {entry = 'main/1', voucher = '3'})
    t:refused('is_a_reversal', anna, 'reverse',
        {entry = 'main/2', voucher = '3'})
end)

test.it('nothing is edited', function(t)
    local anna = open(t)
    anna:call('post', wage('1', '2026-04-05', '100.00'))
    t:fails('CONFLICT', anna, 'entry.append', wage('1', '2026-04-05', '1.00'))
    t:fails('CONFLICT', anna, 'commodity.create',
        {book = 'main', code = 'EUR', scale = 3})
    t:fails('DENIED', anna, 'commodity.put',
        {book = 'main', code = 'EUR', scale = 3})
    t:fails('INVALID', anna, 'account.patch',
        {book = 'main', name = 'food', kind = 'assets'})
    t:fails('DENIED', anna, 'book.put', {name = 'main', owner = 'anna'})
end)

-- As `ate chain create` makes chains: only those write whom the root key let.
test.schema('ate:ledger',
    {accept = {'trust-delegation', 'serializer', 'structured-logic'}})

test.it('on a chain of its own a clerk needs both, to post and to create',
    function(t)
        local me, clerk = t:user('me'), t:user('clerk')
        me:call('book.create', {name = 'main', owner = 'me'})
        me:call('commodity.create', {book = 'main', code = 'EUR', scale = 2})
        for _, name in ipairs({'till', 'wage'}) do
            me:call('account.create',
                {book = 'main', name = name, kind = 'assets'})
        end
        local args = wage('1', '2026-01-01', '1.00')
        t:refused('may_not_post', clerk, 'post', args)
        me:call('ate.grant',
            {to = 'clerk', rights = {'post'}, object = 'book/main'})
        t:fails('DENIED', clerk, 'post', args)
        me:call('ate.grant',
            {to = 'clerk', rights = {'create'}, object = 'book/main'})
        clerk:call('post', args)
        t:fails('DENIED', t:user('eve'), 'book.create',
            {name = 'eves', owner = 'eve'})
    end)
