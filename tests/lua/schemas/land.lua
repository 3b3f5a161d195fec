-- Places in places, for tests of who may do what where.
local ate = require('ate')
local t = ate.types
local land = ate.schema('land', {
    doc = 'Countries, towns in them, houses in those.',
    version = 1,
    bodies = 'open',
})

land:object('country', {
    doc = 'Where towns are.',
    key = {'name'},
    header = {name = t.name({max = 40})},
    rights = {tax = 'Take money.', vote = 'Say who rules.'},
})
land:object('town', {
    doc = 'Where houses are.',
    parent = 'country',
    key = {'name'},
    header = {country = t.ref('country'), name = t.name({max = 40})},
})
land:object('house', {
    doc = 'Where people live.',
    parent = 'town',
    key = {'name'},
    header = {name = t.name({max = 40}), town = t.ref('town')},
})
land:event('visit', {
    doc = 'Somebody came to a house.',
    parent = 'house',
    header = {house = t.ref('house')},
})
land:event('word', {
    doc = 'Something was said, nowhere in particular.',
    header = {text = t.text({max = 100})},
    body = {more = t.optional(t.text({max = 200000}))},
})
land:event('claim', {
    doc = 'Somebody says that a house is theirs.',
    parent = 'house',
    header = {house = t.ref('house'), who = t.identity()},
})
land:event('taxed', {
    doc = 'A country paid.',
    header = {country = t.ref('country')},
})

land:view('words', {
    doc = 'How often each was said.',
    key = {'text'},
    order = {'count'},
    row = {text = t.text({max = 100}), count = t.default(t.integer(), 0)},
    fold = {
        word = function(rows, word)
            rows:add(word.text, {count = 1})
        end,
    },
})

land:rule('not_them', {
    doc = 'Everybody claims for themselves.',
    on = {'claim'},
    text = 'that is not {who}',
    check = function(_, claim, tx)
        return tx:by(claim.who) or ate.deny({who = claim.who})
    end,
})
land:rule('no_tax', {
    doc = 'Countries pay to those who may tax them.',
    on = {'taxed'},
    text = 'nobody taxes {country}',
    check = function(_, taxed, tx)
        return tx:may('tax', taxed.country)
            or ate.deny({country = taxed.country})
    end,
})
return land
