-- Wages that are paid at a time, by a bank outside. Who was paid may be due at the
-- same time again.
local ate = require('ate')
local t = ate.types
local wages = ate.schema('wages', {doc = 'Wages, and when they are paid.', version = 1})

wages:event('earned', {
    doc = 'Somebody is to be paid.',
    header = {who = t.name({max = 40}), pieces = t.integer({min = 1}), at = t.time()},
})
wages:event('paid', {
    doc = 'The bank paid them.',
    header = {who = t.name({max = 40}), number = t.text()},
})
wages:view('due', {
    doc = 'Who is paid, and when.',
    key = {'who'},
    row = {who = t.name({max = 40}), pieces = t.integer(), at = t.time()},
    fold = {
        earned = function(rows, earned)
            rows:set(earned.who, {pieces = earned.pieces, at = earned.at})
        end,
        paid = function(rows, paid)
            rows:delete(paid.who)
        end,
    },
})
wages:worker('pay', {
    doc = 'Have the bank pay.',
    due = {'due', 'at'},
    run = function(ctx, row)
        local paid = ctx:ask('bank', {pay = row.pieces, to = row.who})
        ctx:emit('paid', {who = row.who, number = paid.number})
    end,
})
return wages
