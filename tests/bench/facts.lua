-- Events without rules and views, and with both.
local ate = require('ate')
local t = ate.types
local facts = ate.schema('facts', {doc = 'What `make bench` hands in.', version = 1, bodies = 'open'})

facts:event('bare', {
    doc = 'Nothing is asked, nothing follows.',
    header = {amount = t.integer(), who = t.name()},
})
facts:event('paid', {
    doc = 'Somebody paid something.',
    header = {amount = t.integer(), who = t.name()},
})
facts:view('total', {
    doc = 'What each has paid.',
    key = {'who'},
    row = {who = t.name(), amount = t.default(t.integer(), 0)},
    fold = {
        paid = function(rows, paid)
            rows:add(paid.who, {amount = paid.amount})
        end,
    },
})
facts:rule('positive', {
    doc = 'Something is paid, and not too much in all.',
    on = {'paid'},
    text = 'not between 1 and all that is left',
    check = function(state, paid)
        return paid.amount > 0 and state.total:get(paid.who).amount < 1000000000
    end,
})
return facts
