-- What peers are asked, too: write 200 bytes, if an account is there and they
-- are not too long.
local ate = require('ate')
local t = ate.types
local bench = ate.schema('bench', {doc = 'What `make bench` writes.', version = 1, bodies = 'open'})

bench:object('account', {
    doc = 'Whom notes are about.',
    key = {'name'},
    header = {name = t.name({max = 40}), text = t.text({max = 400})},
})
bench:event('note', {
    doc = 'A text about an account.',
    header = {account = t.ref('account'), text = t.text()},
})
bench:rule('fits', {
    doc = 'There is such an account, and at most 400 bytes are said.',
    on = {'note'},
    text = 'too long, or about nobody',
    check = function(state, note)
        return state.account:get(note.account) ~= nil and #note.text <= 400
    end,
})
return bench
