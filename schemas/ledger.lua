--- Double-entry books in any number of commodities.
--
-- What holds for every book, whoever writes and by whatever door:
--
--  * The postings of an entry sum to nothing, in each commodity, exactly. So do
--    all balances of a book.
--  * Nothing is edited. A mistake is reversed, once, by an entry that says so
--    and that undoes all of it.
--  * A month that was closed takes nothing, nor does any before it. Months are
--    closed in their order, and only when they are over.
--  * An account that may not go below zero, or above, never does, over all that
--    was posted, whatever its date. What was posted first may be dated last, so
--    at the end of a month it may have been.
--  * Only the owner of a book writes in it, and who has the right, which root
--    keys always have.
--
-- Amounts are whole numbers of a commodity's smallest unit.
local ate = require('ate')
local t = ate.types
local ledger = ate.schema('ledger', {
    doc = 'Double-entry books: entries that balance, periods that close.',
    version = 1,
    bodies = 'open',
})

-- What a posting has at most, either way, and a balance, now and at the end of
-- each month; an entry moves twice that. What a month adds to a balance is then
-- at most three times as much, even within an entry, and that and PART stay
-- below 2^53: no sum on the way is inexact, and no fold refuses one.
local MOST = 3000000000000000
local PART = 1000000000000
local POSTINGS = 500
local YEARS_AHEAD = 10

local amount = t.amount({of = 'commodity'})

-- ---- what there is ----

ledger:object('book', {
    doc = 'The books of one owner. All else belongs to one.',
    key = {'name'},
    header = {name = t.name({max = 40}), owner = t.once(t.identity())},
    off = {'patch', 'delete'},
    rights = {
        post = 'Post and reverse entries.',
        close = 'Close months.',
        keep = 'Add commodities, add and close accounts.',
    },
})
ledger:object('commodity', {
    doc = 'A unit that amounts are counted in: money, shares, hours.',
    parent = 'book',
    key = {'code'},
    header = {
        book = t.ref('book'),
        code = t.name({max = 24}),
        scale = t.once(t.integer({min = 0, max = 12})), -- decimals of amounts
    },
    off = {'patch', 'delete'},
})
ledger:object('account', {
    doc = 'A place where amounts are kept.',
    parent = 'book',
    key = {'name'},
    header = {
        book = t.ref('book'),
        name = t.name({max = 200}),
        kind = t.once(t.enum({
            'assets', 'liabilities', 'equity', 'income', 'expenses',
        })),
        -- What its balances may be, in each commodity.
        sign = t.once(t.default(
            t.enum({'any', 'not_negative', 'not_positive'}), 'any')),
        closed = t.optional(t.date()), -- the last day it takes entries
    },
    off = {'delete'},
})

local posting = t.struct({
    account = t.ref('account'),
    commodity = t.ref('commodity'),
    amount = t.amount({of = 'commodity', min = -MOST, max = MOST}),
})
ledger:event('entry', {
    doc = 'What was posted together. Its voucher is unique in its book, so '
        .. 'that what was posted once is not posted again.',
    parent = 'book',
    key = {'voucher'},
    header = {
        book = t.ref('book'),
        voucher = t.name({max = 80}),
        date = t.date(),
        postings = t.list(posting, {min = 2, max = POSTINGS}),
        reverses = t.optional(t.ref('entry')),
    },
    body = {text = t.optional(t.text({max = 16000}))},
})
ledger:event('closed', {
    doc = 'A month takes no more entries, nor does any before it.',
    parent = 'book',
    key = {'period'},
    header = {book = t.ref('book'), period = t.month()},
})

-- ---- what it adds up to ----

ledger:view('balance', {
    doc = 'What each account holds.',
    key = {'account', 'commodity'},
    row = {
        account = t.ref('account'),
        commodity = t.ref('commodity'),
        amount = t.default(amount, 0),
    },
    fold = {
        entry = function(rows, entry)
            for _, p in ipairs(entry.postings) do
                rows:add({account = p.account, commodity = p.commodity},
                    {amount = p.amount})
            end
        end,
    },
})

--- Where debit or credit of a row would be too large, take as much off both
-- that one of them is below PART.
local function make_room(rows, key, more)
    local row = rows:get(key)
    if math.max(row.debit, row.credit) <= 3 * MOST - math.abs(more) then
        return
    end
    local times = ate.int.div(math.min(row.debit, row.credit), PART)
    local off = -times * PART
    rows:add(key, {debit = off, credit = off, netted = times})
end

ledger:view('turnover', {
    doc = 'What came to each account and what left it, by month. Where that '
        .. 'is beyond 9 * 10^15 smallest units, debit and credit are both '
        .. 'less by 10^12 of them, `netted` times.',
    key = {'account', 'commodity', 'period'},
    row = {
        account = t.ref('account'),
        commodity = t.ref('commodity'),
        period = t.month(),
        debit = t.default(amount, 0), -- came
        credit = t.default(amount, 0), -- left, as a positive amount
        amount = t.default(amount, 0), -- debit less credit
        netted = t.default(t.integer(), 0), -- parts taken off both
    },
    fold = {
        entry = function(rows, entry)
            for _, p in ipairs(entry.postings) do
                local key = {
                    account = p.account,
                    commodity = p.commodity,
                    period = ate.date.month(entry.date),
                }
                make_room(rows, key, p.amount)
                rows:add(key, {
                    debit = math.max(p.amount, 0),
                    credit = math.max(-p.amount, 0),
                    amount = p.amount,
                })
            end
        end,
    },
})
ledger:view('open_from', {
    doc = 'The first month that a book takes entries of, if one was closed.',
    key = {'book'},
    row = {book = t.ref('book'), period = t.month(), closed = t.month()},
    fold = {
        closed = function(rows, closed)
            local last = ate.date.add_days(closed.period .. '-28', 4)
            rows:set(closed.book, {
                period = ate.date.month(last), closed = closed.period,
            })
        end,
    },
})
ledger:view('reversed', {
    doc = 'Which entries were reversed, and by which.',
    key = {'entry'},
    row = {entry = t.ref('entry'), by = t.ref('entry')},
    fold = {
        entry = function(rows, entry)
            if entry.reverses ~= nil then
                rows:set(entry.reverses, {by = entry.id})
            end
        end,
    },
})
ledger:view('used', {
    doc = 'The latest day of which an account has postings.',
    key = {'account'},
    row = {account = t.ref('account'), last = t.date()},
    fold = {
        entry = function(rows, entry)
            for _, p in ipairs(entry.postings) do
                local row = rows:get(p.account)
                if row == nil or row.last < entry.date then
                    rows:set(p.account, {last = entry.date})
                end
            end
        end,
    },
})

-- ---- who may ----

ledger:rule('not_your_name', {
    doc = 'Nobody opens books in the name of another.',
    on = {'book'},
    text = '{owner} has to do that',
    check = function(_, book, tx)
        return tx:by(book.owner) or ate.deny({owner = book.owner})
    end,
})

--- May whoever signed do that in a book?
local function may(state, tx, right, book)
    return tx:by(state.book:get(book).owner) or tx:may(right, book)
end

ledger:rule('may_not_keep', {
    doc = 'Commodities and accounts are the owner\'s, and of who may keep.',
    on = {'commodity', 'account'},
    text = '{book} is not yours to keep',
    check = function(state, object, tx)
        return may(state, tx, 'keep', object.book)
            or ate.deny({book = object.book})
    end,
})
ledger:rule('may_not_post', {
    doc = 'Entries are posted by the owner, and by who may post.',
    on = {'entry'},
    text = '{book} is not yours to post to',
    check = function(state, entry, tx)
        return may(state, tx, 'post', entry.book)
            or ate.deny({book = entry.book})
    end,
})
ledger:rule('may_not_close', {
    doc = 'Months are closed by the owner, and by who may close.',
    on = {'closed'},
    text = '{book} is not yours to close',
    check = function(state, closed, tx)
        return may(state, tx, 'close', closed.book)
            or ate.deny({book = closed.book})
    end,
})

-- ---- what an entry is ----

ledger:rule('other_book', {
    doc = 'An entry stays within its book.',
    on = {'entry'},
    text = '{account} {commodity} is not all of {book}',
    says = {account = t.ref('account'), commodity = t.ref('commodity')},
    check = function(state, entry)
        for _, p in ipairs(entry.postings) do
            if state.account:get(p.account).book ~= entry.book
                or state.commodity:get(p.commodity).book ~= entry.book then
                return ate.deny({
                    account = p.account,
                    commodity = p.commodity,
                    book = entry.book,
                })
            end
        end
        return true
    end,
})
ledger:rule('posts_nothing', {
    doc = 'A posting moves something.',
    on = {'entry'},
    text = 'nothing is posted to {account}',
    says = {account = t.ref('account')},
    check = function(_, entry)
        for _, p in ipairs(entry.postings) do
            if p.amount == 0 then
                return ate.deny({account = p.account})
            end
        end
        return true
    end,
})
ledger:rule('moves_too_much', {
    doc = 'An entry moves no more than 3 * 10^15 smallest units.',
    on = {'entry'},
    text = 'the entry moves too much {commodity}',
    says = {commodity = t.ref('commodity')},
    check = function(_, entry)
        local moved = {}
        for _, p in ipairs(entry.postings) do
            local sum = ate.int.add(moved[p.commodity] or 0,
                ate.int.abs(p.amount))
            if sum > 2 * MOST then
                return ate.deny({commodity = p.commodity})
            end
            moved[p.commodity] = sum
        end
        return true
    end,
})
ledger:rule('unbalanced', {
    doc = 'The postings of an entry sum to nothing in each commodity.',
    on = {'entry'},
    text = 'the entry is off by {rest} {commodity}',
    says = {commodity = t.ref('commodity'), rest = amount},
    check = function(_, entry)
        local sums = {}
        for _, p in ipairs(entry.postings) do
            sums[p.commodity] = ate.int.add(sums[p.commodity] or 0, p.amount)
        end
        for commodity, rest in ate.each(sums) do
            if rest ~= 0 then
                return ate.deny({commodity = commodity, rest = rest})
            end
        end
        return true
    end,
})

-- ---- what is wrong is reversed ----
-- Before balances: what is reversed twice may be wrong there, too, and of two
-- rules that refuse the first is told.

--- Is each posting the opposite of the one in its place?
local function is_opposite(a, b)
    if #a ~= #b then
        return false
    end
    for i, p in ipairs(a) do
        local q = b[i]
        if p.account ~= q.account or p.commodity ~= q.commodity
            or p.amount ~= -q.amount then
            return false
        end
    end
    return true
end

ledger:rule('not_the_opposite', {
    doc = 'A reversal undoes all of an entry of its book, not before its day.',
    on = {'entry'},
    text = '{voucher} does not undo {reverses}',
    check = function(state, entry)
        if entry.reverses == nil then
            return true
        end
        local wrong = state.entry:get(entry.reverses)
        return wrong.book == entry.book and entry.date >= wrong.date
            and is_opposite(entry.postings, wrong.postings)
            or ate.deny({voucher = entry.voucher, reverses = entry.reverses})
    end,
})
ledger:rule('reversed_before', {
    doc = 'An entry is reversed once.',
    on = {'entry'},
    text = '{reverses} was reversed by {by}',
    says = {by = t.ref('entry')},
    check = function(state, entry)
        local row = entry.reverses ~= nil
            and state.reversed:get(entry.reverses) or nil
        return row == nil
            or ate.deny({reverses = entry.reverses, by = row.by})
    end,
})
ledger:rule('is_a_reversal', {
    doc = 'A reversal is not reversed: what was right is posted again.',
    on = {'entry'},
    text = '{reverses} is a reversal',
    check = function(state, entry)
        return entry.reverses == nil
            or state.entry:get(entry.reverses).reverses == nil
            or ate.deny({reverses = entry.reverses})
    end,
})

-- ---- what accounts may hold ----

--- What an entry adds to each account, by commodity.
local function changes(entry)
    local sums = {}
    for _, p in ipairs(entry.postings) do
        local of = sums[p.account] or {}
        of[p.commodity] = ate.int.add(of[p.commodity] or 0, p.amount)
        sums[p.account] = of
    end
    return sums
end

--- The first balance behind an entry that is not as it should be, or nil:
-- `bad(key, left)` is it then, of what would be left now.
local function bad_balance(state, entry, bad)
    for account, of in ate.each(changes(entry)) do
        for commodity, change in ate.each(of) do
            local key = {account = account, commodity = commodity}
            local left = ate.int.add(state.balance:get(key).amount, change)
            key.left = bad(key, left)
            if key.left ~= nil then
                return key
            end
        end
    end
    return nil
end

--- The first balance beyond MOST: `left`, or that at the end of a month, back to
-- that of the entry, which is before others when it was dated back. Or nil.
local function too_large(state, key, left, period)
    if math.abs(left) > MOST then
        return left
    end
    for row in state.turnover:each(key, {order = 'last_first'}) do
        if row.period <= period then
            return nil
        end
        left = ate.int.sub(left, row.amount)
        if math.abs(left) > MOST then
            return left
        end
    end
    return nil
end

local balance_values = {
    account = t.ref('account'), commodity = t.ref('commodity'), left = amount,
}

ledger:rule('wrong_sign', {
    doc = 'An account that may not go below zero does not, nor one above, '
        .. 'over all entries, whatever their dates.',
    on = {'entry'},
    text = '{account} would hold {left} {commodity}',
    says = balance_values,
    check = function(state, entry)
        local bad = bad_balance(state, entry, function(key, left)
            local sign = state.account:get(key.account).sign
            local is_good = sign == 'any' or left == 0
                or (left > 0) == (sign == 'not_negative')
            return not is_good and left or nil
        end)
        return bad == nil or ate.deny(bad)
    end,
})
ledger:rule('too_much', {
    doc = 'No account holds more than 3 * 10^15 smallest units, either way, '
        .. 'now or at the end of a month.',
    on = {'entry'},
    text = '{account} would hold {left} {commodity}, which is too much',
    says = balance_values,
    check = function(state, entry)
        local period = ate.date.month(entry.date)
        local bad = bad_balance(state, entry, function(key, left)
            return too_large(state, key, left, period)
        end)
        return bad == nil or ate.deny(bad)
    end,
})

-- ---- when ----

ledger:rule('far_ahead', {
    doc = 'An entry is dated at most ten years ahead, by the time of the log.',
    on = {'entry'},
    text = '{date} is too far ahead',
    check = function(_, entry, tx)
        local now = ate.date.year(ate.date.of_time(tx.time))
        return ate.date.year(entry.date) <= now + YEARS_AHEAD
            or ate.deny({date = entry.date})
    end,
})
ledger:rule('period_closed', {
    doc = 'Nothing is posted into a month that is closed, or before it.',
    on = {'entry'},
    text = '{book} is closed up to {closed}',
    says = {closed = t.month()},
    check = function(state, entry)
        local row = state.open_from:get(entry.book)
        return row == nil or ate.date.month(entry.date) >= row.period
            or ate.deny({book = entry.book, closed = row.closed})
    end,
})
ledger:rule('closed_before', {
    doc = 'A month is closed before those that follow it.',
    on = {'closed'},
    text = '{book} is closed up to {last} already',
    says = {last = t.month()},
    check = function(state, closed)
        local row = state.open_from:get(closed.book)
        return row == nil or closed.period >= row.period
            or ate.deny({book = closed.book, last = row.closed})
    end,
})
ledger:rule('not_over', {
    doc = 'A month is closed when it is over, by the time of the log.',
    on = {'closed'},
    text = '{period} is not over',
    check = function(_, closed, tx)
        local now = ate.date.month(ate.date.of_time(tx.time))
        return closed.period < now or ate.deny({period = closed.period})
    end,
})
ledger:rule('account_closed', {
    doc = 'An account takes nothing after the day it was closed.',
    on = {'entry'},
    text = '{account} was closed on {closed}',
    says = {account = t.ref('account'), closed = t.date()},
    check = function(state, entry)
        for _, p in ipairs(entry.postings) do
            local closed = state.account:get(p.account).closed
            if closed ~= nil and entry.date > closed then
                return ate.deny({account = p.account, closed = closed})
            end
        end
        return true
    end,
})
ledger:rule('used_later', {
    doc = 'An account is not closed before the day of its latest posting.',
    on = {'account'},
    text = '{name} has postings of {last}',
    says = {last = t.date()},
    check = function(state, account)
        local row = state.used:get(account.id)
        return account.closed == nil or row == nil
            or account.closed >= row.last
            or ate.deny({name = account.name, last = row.last})
    end,
})

-- ---- what people call ----

ledger:method('post', {
    doc = 'Post an entry.',
    mode = 'write',
    args = t.fields('entry'),
    returns = t.ref('entry'),
    rest = 'POST /books/{book}/entries',
    file = 'books/{book}/post',
    run = function(ctx, args)
        return ctx:emit('entry', args)
    end,
})
ledger:method('reverse', {
    doc = 'Undo an entry by one that posts the opposite: today, or on its own '
        .. 'day when that is later, or on the one given.',
    mode = 'write',
    args = {
        entry = t.ref('entry'),
        voucher = t.name({max = 80}),
        date = t.optional(t.date()),
        text = t.optional(t.text({max = 16000})),
    },
    returns = t.ref('entry'),
    rest = 'POST /entries/{entry}/reversal',
    file = 'entries/{entry}/reverse',
    run = function(ctx, args)
        local wrong = ctx:get('entry', args.entry)
        local today = ate.date.of_time(ctx.time)
        local date = args.date or today > wrong.date and today or wrong.date
        local postings = {}
        for i, p in ipairs(wrong.postings) do
            postings[i] = {
                account = p.account,
                commodity = p.commodity,
                amount = -p.amount,
            }
        end
        return ctx:emit('entry', {
            book = wrong.book,
            voucher = args.voucher,
            date = date,
            postings = postings,
            reverses = args.entry,
            text = args.text,
        })
    end,
})
ledger:method('close', {
    doc = 'Close a month, and with it all before.',
    mode = 'write',
    args = {book = t.ref('book'), period = t.month()},
    returns = t.ref('closed'),
    rest = 'POST /books/{book}/periods/{period}/close',
    file = 'books/{book}/close',
    run = function(ctx, args)
        return ctx:emit('closed', {book = args.book, period = args.period})
    end,
})
ledger:method('balance', {
    doc = 'What an account holds, or held at the end of a month.',
    mode = 'read',
    args = {
        account = t.ref('account'),
        commodity = t.ref('commodity'),
        period = t.optional(t.month()),
    },
    returns = amount,
    rest = 'GET /accounts/{account}/balance/{commodity}',
    file = 'accounts/{account}/balance/{commodity}',
    run = function(ctx, args)
        local key = {account = args.account, commodity = args.commodity}
        local held = ctx.state.balance:get(key).amount
        if args.period == nil then
            return held
        end
        for row in ctx.state.turnover:each(key, {order = 'last_first'}) do
            if row.period <= args.period then
                break
            end
            held = ate.int.sub(held, row.amount)
        end
        return held
    end,
})
return ledger
