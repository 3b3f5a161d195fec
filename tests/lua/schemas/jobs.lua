-- Orders that are noted, paid outside and closed in time: one worker of each
-- kind.
local ate = require('ate')
local t = ate.types
local jobs = ate.schema('jobs', {doc = 'Orders, and who sees to them.', version = 1})

jobs:event('placed', {
    doc = 'Somebody ordered.',
    key = {'name'},
    header = {name = t.name({max = 40}), pieces = t.integer({min = 0}), till = t.optional(t.time())},
    body = {wishes = t.optional(t.text({max = 2000}))},
})
jobs:event('noted', {
    doc = 'It was seen.',
    header = {placed = t.ref('placed'), what = t.text({max = 2000})},
})
jobs:event('paid', {
    doc = 'The bank paid for it.',
    key = {'placed'},
    header = {placed = t.ref('placed'), number = t.text(), receipt = t.text()},
})
jobs:event('closed', {
    doc = 'Its time has passed.',
    key = {'placed'},
    header = {placed = t.ref('placed')},
})
jobs:object('shelf', {
    doc = 'What changes.',
    key = {'name'},
    header = {name = t.name(), pieces = t.default(t.integer(), 0)},
})
jobs:event('saw', {
    doc = 'How a shelf changed.',
    header = {shelf = t.text(), how = t.text(), pieces = t.integer()},
})

jobs:view('open', {
    doc = 'Orders that are not closed.',
    key = {'placed'},
    row = {placed = t.ref('placed'), till = t.optional(t.time())},
    fold = {
        placed = function(rows, placed)
            rows:set(placed.id, {till = placed.till})
        end,
        closed = function(rows, closed)
            rows:delete(closed.placed)
        end,
    },
})
jobs:rule('nothing_to_note', {
    doc = 'An order of nothing is not noted.',
    on = {'noted'},
    text = '{placed} is of nothing',
    check = function(state, noted)
        return state.placed:get(noted.placed).pieces > 0
            or ate.deny({placed = noted.placed})
    end,
})

jobs:worker('note', {
    doc = 'Note every order.',
    on = {'placed'},
    run = function(ctx, placed)
        ctx:emit('noted', {placed = placed.id, what = placed.wishes or 'nothing'})
    end,
})
jobs:worker('pay', {
    doc = 'Have the bank pay, and send a receipt.',
    on = {'placed'},
    run = function(ctx, placed)
        if placed.pieces == 0 then
            return
        end
        local paid = ctx:ask('bank', {pay = placed.pieces, to = placed.name})
        local sent = ctx:ask('bank', {send = paid.number})
        ctx:emit('paid', {placed = placed.id, number = paid.number, receipt = sent.receipt})
    end,
})
jobs:worker('close', {
    doc = 'Close orders whose time has passed.',
    due = {'open', 'till'},
    run = function(ctx, row)
        ctx:emit('closed', {placed = row.placed})
    end,
})
jobs:worker('watch', {
    doc = 'See how shelves change.',
    on = {'shelf'},
    run = function(ctx, shelf)
        ctx:emit('saw', {shelf = shelf.name, how = shelf.change, pieces = shelf.pieces})
    end,
})
return jobs
