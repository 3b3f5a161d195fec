local ate = require('ate')
local t = ate.types
local books = ate.schema('books', {
    doc = 'Double-entry books in many commodities.',
    version = 1,
    bodies = 'open',
})

books:object('book', {
    doc = 'The books of one company; what follows belongs to one.',
    key = {'name'},
    header = {name = t.name({max = 40}), owner = t.once(t.identity())},
    off = {'patch', 'delete'},
})
books:object('commodity', {
    doc = 'A unit that amounts are counted in: money, shares, hours.',
    key = {'code'},
    header = {
        code = t.name({max = 24}),
        book = t.once(t.ref('book')),
        scale = t.once(t.integer({min = 0, max = 9})), -- decimals of amounts
        -- By how many of its smallest units an entry may be off, because
        -- prices and costs were rounded.
        tolerance = t.default(t.integer({min = 0}), 0),
    },
    off = {'delete'},
})
books:object('account', {
    doc = 'A place where amounts are kept.',
    key = {'name'},
    header = {
        name = t.name({max = 255}),
        book = t.once(t.ref('book')),
        kind = t.once(t.enum({
            'assets',
            'liabilities',
            'equity',
            'income',
            'expenses',
        })),
        closed = t.optional(t.date()), -- the last day it takes entries
    },
    off = {'delete'},
})

-- What a posting counts when its entry is added up, if that is not its units:
-- shares count what they cost, foreign money what it was exchanged for.
local weight = t.struct({
    commodity = t.ref('commodity'),
    amount = t.amount({of = 'commodity'}),
})
local posting = t.struct({
    account = t.ref('account'),
    commodity = t.ref('commodity'),
    units = t.amount({of = 'commodity'}),
    weight = t.optional(weight),
})
books:event('entry', {
    doc = 'One booked transaction. Its voucher is unique, so that what was '
        .. 'booked once is not booked again.',
    parent = 'book',
    key = {'voucher'},
    header = {
        book = t.ref('book'),
        voucher = t.name({max = 80}),
        date = t.date(),
        postings = t.list(posting, {min = 1, max = 500}),
    },
    body = {
        payee = t.optional(t.text({max = 4000})),
        narration = t.text({max = 60000}),
    },
})
books:event('closed', {
    doc = 'A month takes no more entries.',
    parent = 'book',
    key = {'period'},
    header = {book = t.ref('book'), period = t.month()},
})

books:view('balance', {
    doc = 'What each account holds, by commodity.',
    key = {'account', 'commodity'},
    row = {
        account = t.ref('account'),
        commodity = t.ref('commodity'),
        amount = t.default(t.amount({of = 'commodity'}), 0),
    },
    fold = {
        entry = function(rows, entry)
            for _, p in ipairs(entry.postings) do
                local key = {account = p.account, commodity = p.commodity}
                rows:add(key, {amount = p.units})
            end
        end,
    },
})
books:view('turnover', {
    doc = 'What each account gained in each month, by commodity.',
    key = {'period', 'account', 'commodity'},
    row = {
        period = t.month(),
        account = t.ref('account'),
        commodity = t.ref('commodity'),
        amount = t.default(t.amount({of = 'commodity'}), 0),
    },
    fold = {
        entry = function(rows, entry)
            for _, p in ipairs(entry.postings) do
                rows:add({
                    period = ate.date.month(entry.date),
                    account = p.account,
                    commodity = p.commodity,
                }, {amount = p.units})
            end
        end,
    },
})
books:view('period', {
    doc = 'Which months are closed.',
    key = {'book', 'period'},
    row = {
        book = t.ref('book'),
        period = t.month(),
        closed = t.default(t.boolean(), false),
    },
    fold = {
        closed = function(rows, closed)
            local key = {book = closed.book, period = closed.period}
            rows:set(key, {closed = true})
        end,
    },
})

books:rule('not_your_name', {
    doc = 'Nobody opens books in the name of another.',
    on = {'book'},
    text = '{owner} has to do that',
    check = function(_, book, tx)
        return tx:by(book.owner) or ate.deny({owner = book.owner})
    end,
})
books:rule('not_yours', {
    doc = 'Only the owner of a book writes in it.',
    on = {'commodity', 'account', 'entry', 'closed'},
    text = '{book} is not yours',
    check = function(state, event, tx)
        return tx:by(state.book:get(event.book).owner)
            or ate.deny({book = event.book})
    end,
})
books:rule('other_book', {
    doc = 'An entry stays within its book.',
    on = {'entry'},
    text = '{account} belongs to another book',
    says = {account = t.ref('account')},
    check = function(state, entry)
        for _, p in ipairs(entry.postings) do
            if state.account:get(p.account).book ~= entry.book then
                return ate.deny({account = p.account})
            end
        end
        return true
    end,
})
books:rule('other_weight', {
    doc = 'What is counted in its own commodity weighs its units.',
    on = {'entry'},
    text = '{account}: {units} {commodity} can not weigh {weight}',
    says = {
        account = t.ref('account'),
        commodity = t.ref('commodity'),
        units = t.amount({of = 'commodity'}),
        weight = t.amount({of = 'commodity'}),
    },
    check = function(_, entry)
        for _, p in ipairs(entry.postings) do
            local w = p.weight
            if w ~= nil and w.commodity == p.commodity
                and w.amount ~= p.units then
                return ate.deny({
                    account = p.account,
                    commodity = p.commodity,
                    units = p.units,
                    weight = w.amount,
                })
            end
        end
        return true
    end,
})
books:rule('unbalanced', {
    doc = 'The weights of an entry sum to nothing, within the tolerance.',
    on = {'entry'},
    text = 'the entry is off by {rest} {commodity}',
    says = {
        commodity = t.ref('commodity'),
        rest = t.amount({of = 'commodity'}),
    },
    check = function(state, entry)
        local sums = {}
        for _, p in ipairs(entry.postings) do
            local commodity, amount = p.commodity, p.units
            if p.weight ~= nil then
                commodity, amount = p.weight.commodity, p.weight.amount
            end
            sums[commodity] = ate.int.add(sums[commodity] or 0, amount)
        end
        for commodity, rest in ate.each(sums) do
            local tolerance = state.commodity:get(commodity).tolerance
            if ate.int.abs(rest) > tolerance then
                return ate.deny({commodity = commodity, rest = rest})
            end
        end
        return true
    end,
})
books:rule('account_closed', {
    doc = 'An account takes no entries after the day it was closed.',
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
books:rule('period_closed', {
    doc = 'Nothing is booked into a closed month.',
    on = {'entry'},
    text = '{period} is closed',
    says = {period = t.month()},
    check = function(state, entry)
        local period = ate.date.month(entry.date)
        local row = state.period:get({book = entry.book, period = period})
        return not row.closed or ate.deny({period = period})
    end,
})

books:method('post', {
    doc = 'Book an entry.',
    args = t.fields('entry'),
    returns = t.ref('entry'),
    mode = 'write',
    runs = 'both',
    rest = 'POST /books/{book}/entries',
    file = 'books/{book}/post',
    run = function(ctx, args)
        return ctx:emit('entry', args)
    end,
})
books:method('close', {
    doc = 'Close a month.',
    args = {book = t.ref('book'), period = t.month()},
    returns = t.ref('closed'),
    mode = 'write',
    runs = 'both',
    rest = 'POST /books/{book}/periods/{period}/close',
    file = 'books/{book}/close',
    run = function(ctx, args)
        return ctx:emit('closed', {book = args.book, period = args.period})
    end,
})
books:method('balance', {
    doc = 'What an account holds of a commodity.',
    args = {account = t.ref('account'), commodity = t.ref('commodity')},
    returns = t.amount({of = 'commodity'}),
    mode = 'read',
    runs = 'both',
    rest = 'GET /accounts/{account}/balance/{commodity}',
    file = 'accounts/{account}/balance/{commodity}',
    run = function(ctx, args)
        return ctx.state.balance:get(args).amount
    end,
})
return books
