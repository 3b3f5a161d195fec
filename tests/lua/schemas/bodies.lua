-- Each kind of body, large enough for the body file.
local ate = require('ate')
local t = ate.types
local bodies = ate.schema('bodies', {
    doc = 'Things with bodies.',
    version = 1,
    bodies = 'open',
})
bodies:object('file', {
    doc = 'Bytes.',
    key = {'name'},
    header = {name = t.name()},
    body = t.blob({max = 100000}),
})
bodies:object('text', {
    doc = 'Text.',
    key = {'name'},
    header = {name = t.name()},
    body = t.text({max = 100000}),
})
bodies:object('note', {
    doc = 'Text and a list.',
    key = {'name'},
    header = {name = t.name(), title = t.optional(t.text())},
    body = {
        text = t.text({max = 100000}),
        tags = t.default(t.list(t.text({max = 20})), {}),
    },
})
return bodies
