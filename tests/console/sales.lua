-- A schema whose view has numbers over time.
local ate = require('ate')
local t = ate.types
local sales = ate.schema('sales', {
    doc = 'What shops sell.', version = 1, bodies = 'open',
})
sales:event('sold', {
    doc = 'A day of a shop.',
    header = {
        shop = t.enum({'north', 'south'}), day = t.date(),
        amount = t.amount({scale = 2}), note = t.text({max = 60}),
    },
})
sales:view('daily', {
    doc = 'What each shop sold, day by day.',
    key = {'day', 'shop'},
    row = {
        day = t.date(), shop = t.enum({'north', 'south'}),
        amount = t.default(t.amount({scale = 2}), 0),
        count = t.default(t.integer(), 0),
    },
    fold = {
        sold = function(rows, sold)
            rows:add({sold.day, sold.shop},
                {amount = sold.amount, count = 1})
        end,
    },
})
return sales
