-- Double-entry books. Keys are names (a door's path is made of them), and what a
-- rule's text says beside the fields of its event has its type in `says`.
local ate = require('ate')
local t = ate.types
local books = ate.schema('books', {doc = 'Double-entry books in many commodities.', version = 1})

books:object('commodity', {
    doc = 'A unit that amounts are counted in.',
    key = {'code'},
    header = {
        code = t.name({max = 24}),
        scale = t.once(t.integer({min = 0, max = 9})),
        tolerance = t.default(t.integer({min = 0}), 0),
    },
})
books:object('account', {
    doc = 'A place where amounts are kept.',
    key = {'name'},
    header = {
        name = t.name({max = 200}),
        kind = t.once(t.enum({'assets', 'liabilities', 'equity', 'income', 'expenses'})),
        closed = t.optional(t.date()),
    },
})
books:object('book', {
    doc = 'The books of one company; who may do what is granted here.',
    key = {'name'},
    header = {name = t.name({max = 40})},
    rights = {post = 'Book entries.', close = 'Close periods.'},
})

local posting = t.struct({
    account = t.ref('account'),
    commodity = t.ref('commodity'),
    units = t.amount({of = 'commodity'}),
    weight = t.amount({of = 'weighed_in'}),
    weighed_in = t.ref('commodity'),
})
books:event('entry', {
    doc = 'One booked transaction.',
    parent = 'book',
    header = {
        book = t.ref('book'),
        date = t.date(),
        postings = t.list(posting, {min = 2, max = 64}),
    },
    body = {
        payee = t.optional(t.text({max = 200})),
        narration = t.text({max = 500}),
    },
    -- What `kept` answers is open; this schema would ask it for an object.
    keep = function(entry, kept)
        local period = ate.date.month(entry.date)
        return kept:get('closed', {book = entry.book, period = period}) == nil
    end,
})
books:event('closed', {
    doc = 'A period takes no more entries.',
    parent = 'book',
    key = {'period'},
    header = {book = t.ref('book'), period = t.month()},
})

books:view('balance', {
    doc = 'What each account gained, by commodity and period.',
    key = {'account', 'commodity', 'period'},
    row = {
        account = t.ref('account'),
        commodity = t.ref('commodity'),
        period = t.month(),
        amount = t.default(t.amount({of = 'commodity'}), 0),
    },
    fold = {
        entry = function(rows, entry)
            for _, p in ipairs(entry.postings) do
                rows:add({
                    account = p.account,
                    commodity = p.commodity,
                    period = ate.date.month(entry.date),
                }, {amount = p.units})
            end
        end,
    },
})
books:view('period', {
    doc = 'Which periods are closed.',
    key = {'period'},
    row = {period = t.month(), closed = t.default(t.boolean(), false)},
    fold = {
        closed = function(rows, closed)
            rows:set(closed.period, {closed = true})
        end,
    },
})

books:rule('may_post', {
    doc = 'Entries are booked by those who may post.',
    on = {'entry'},
    check = function(_, entry, tx)
        return tx:may('post', entry.book) or ate.deny({who = tx.author})
    end,
})
books:rule('may_close', {
    doc = 'Periods are closed by those who may close.',
    on = {'closed'},
    check = function(_, event, tx)
        return tx:may('close', event.book) or ate.deny({who = tx.author})
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
        local sum = {}
        for _, p in ipairs(entry.postings) do
            sum[p.weighed_in] = ate.int.add(sum[p.weighed_in] or 0, p.weight)
        end
        for commodity, rest in ate.each(sum) do
            if ate.int.abs(rest) > state.commodity:get(commodity).tolerance then
                return ate.deny({commodity = commodity, rest = rest})
            end
        end
        return true
    end,
})
books:rule('period_closed', {
    doc = 'Nothing is booked into a closed period.',
    on = {'entry'},
    text = '{period} is closed', says = {period = t.month()},
    check = function(state, entry)
        local period = ate.date.month(entry.date)
        return not state.period:get(period).closed or ate.deny({period = period})
    end,
})
books:method('post', {
    doc = 'Book an entry.',
    args = t.fields('entry'),
    mode = 'write', runs = 'both',
    rest = 'POST /books/{book}/entries',
    file = 'books/{book}/post',
    run = function(ctx, args)
        return ctx:emit('entry', args)
    end,
})
books:method('close', {
    doc = 'Close a period and carry its sums.',
    args = {book = t.ref('book'), period = t.month()},
    mode = 'write', runs = 'both',
    rest = 'POST /books/{book}/periods/{period}/close',
    file = 'books/{book}/close',
    run = function(ctx, args)
        return ctx:emit('closed', {book = args.book, period = args.period})
    end,
})
books:method('balance', {
    doc = 'What an account holds of a commodity, over all periods.',
    args = {account = t.ref('account'), commodity = t.ref('commodity')},
    returns = t.amount({of = 'commodity'}),
    mode = 'read', runs = 'both',
    rest = 'GET /accounts/{account}/balance/{commodity}',
    file = 'accounts/{account}/balance/{commodity}',
    run = function(ctx, args)
        return ctx.state.balance:sum('amount', args)
    end,
})
return books
