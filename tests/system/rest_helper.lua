--- What the REST specs share: a chain, served to a script of the shell.
-- luacheck: globals describe it
local run = require('helper')

local M = {}

M.PRELUDE = run.PRELUDE .. '. '
    .. run.quote(run.root .. '/tests/system/rest.sh') .. '\n'

local NOTES = [[
local ate = require('ate')
local t = ate.types
local notes = ate.schema('notes', {doc = 'Notes.', version = 1})
notes:object('book', {
    doc = 'A book of notes.', key = {'name'},
    header = {
        name = t.name({max = 40}), aside = t.optional(t.text({max = 40})),
    },
})
notes:object('note', {
    doc = 'A note.', parent = 'book', key = {'number'},
    header = {
        book = t.ref('book'), number = t.integer({min = 1}),
        stars = t.default(t.integer(), 0),
        tags = t.default(t.list(t.text({max = 20})), {}),
    },
    body = {text = t.text({max = 100000})},
})
notes:object('picture', {
    doc = 'A picture.', key = {'name'},
    header = {name = t.name({max = 40})}, body = t.blob({max = 1000}),
})
notes:object('film', {
    doc = 'A film.', key = {'name'},
    header = {name = t.name({max = 40})}, body = t.blob({max = 1000000}),
})
notes:event('seen', {
    doc = 'A note was read.', header = {note = t.ref('note')},
})
notes:view('count', {
    doc = 'Notes of a book.', key = {'book'}, order = {'notes'},
    row = {book = t.ref('book'), notes = t.default(t.integer(), 0)},
    fold = {
        note = function(rows, note)
            if note.change == 'new' then
                rows:add(note.book, {notes = 1})
            end
        end,
    },
})
notes:view('stars', {
    doc = 'Stars, by a column that is called like a parameter.',
    key = {'after', 'number'},
    row = {after = t.ref('book'), number = t.integer(), stars = t.integer()},
    fold = {
        note = function(rows, note)
            if note.change == 'delete' then
                rows:delete({note.book, note.number})
            else
                rows:set({note.book, note.number}, {stars = note.stars})
            end
        end,
    },
})
notes:method('say', {
    doc = 'Say it.', mode = 'read',
    args = {
        word = t.text({max = 10}), times = t.integer({min = 1, max = 3}),
        loud = t.default(t.boolean(), false),
    },
    returns = t.text({max = 100}), rest = 'GET /say/{word}',
    run = function(_, args)
        local out = ''
        for _ = 1, args.times do
            out = out .. args.word
        end
        return args.loud and out .. '!' or out
    end,
})
notes:method('sum', {
    doc = 'Add up.', mode = 'read', args = {all = t.list(t.integer())},
    returns = t.integer(),
    run = function(_, args)
        local sum = 0
        for _, one in ipairs(args.all) do
            sum = sum + one
        end
        return sum
    end,
})
notes:method('half', {
    doc = 'Read it, unless there is a note 13.', mode = 'read',
    returns = t.text({max = 100}), rest = 'GET /half',
    run = function(ctx)
        if ctx.state.note:get('b/13') ~= nil then
            error('thirteen')
        end
        return 'all is well'
    end,
})
notes:method('jot', {
    doc = 'Jot down.', mode = 'write',
    args = {
        book = t.ref('book'), number = t.integer(), text = t.text({max = 1000}),
    },
    returns = t.text({max = 1000}), content = 'text',
    rest = 'PUT /jot/{book}/{number}',
    run = function(ctx, args)
        ctx:put('note', args)
        return args.text
    end,
})
return notes
]]

--- Run a script; it has to end with 0.
function M.script(text)
    return run.script(M.PRELUDE .. text).out
end

--- With a chain `bank` that has an annotated method, served.
function M.bank(text, options)
    run.bank()
    return M.script(('open_rest %s\n'):format(options or '') .. text
        .. '\nstop\n[ ! -s serve.err ] || fail "$(cat serve.err)"')
end

--- With a chain `my/notes`; N is the path of its addresses.
function M.notes(text)
    run.write(run.dir .. '/notes.lua', NOTES)
    run.ok('chain', 'create', 'my/notes', '--schema', run.dir .. '/notes.lua')
    return M.script('open_rest\nN=/v1/my/notes\n' .. text
        .. '\nstop\n[ ! -s serve.err ] || fail "$(cat serve.err)"')
end

return M
