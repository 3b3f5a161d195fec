-- Bodies of any length: what a method, a rule and a view see of them.
local ate = require('ate')
local t = ate.types
local films = ate.schema('films', {
    doc = 'Films.',
    version = 1,
    bodies = 'open',
})

films:object('film', {
    doc = 'A film.',
    key = {'name'},
    header = {
        name = t.name({max = 40}),
        year = t.default(t.integer(), 0),
        length = t.default(t.integer(), 0),
    },
    body = t.blob({max = 10000000}),
})
films:object('poster', {
    doc = 'What hangs outside; it is part of the header.',
    key = {'name'},
    header = {name = t.name({max = 40}), picture = t.blob({max = 1000})},
})
films:object('script', {
    doc = 'Its words; a body of text, and one of fields.',
    key = {'name'},
    header = {name = t.name({max = 40})},
    body = t.text({max = 100000}),
})
films:object('reel', {
    doc = 'Some frames of it.',
    key = {'name'},
    header = {name = t.name({max = 40})},
    body = {frames = t.list(t.blob({max = 100000}))},
})

films:rule('no_year', {
    doc = 'A film says when it was made. What it shows no rule sees.',
    on = {'film'},
    text = '{name} needs a year',
    check = function(_, film)
        return film.year > 0 or ate.deny({name = film.name})
    end,
})
films:rule('too_long', {
    doc = 'Nobody sits through more than a million bytes.',
    on = {'film'},
    text = '{name} is too long',
    check = function(_, film)
        return film.length <= 1000000 or ate.deny({name = film.name})
    end,
})

films:view('seen', {
    doc = 'Films whose bytes a view has read.',
    key = {'film'},
    row = {film = t.ref('film'), bytes = t.integer()},
    reads = 'bodies',
    fold = {
        film = function(rows, film)
            rows:set(film.id, {bytes = #film.body})
        end,
    },
})

films:method('show', {
    doc = 'Pass a film through; how long it is stands in its header.',
    args = {
        name = t.name({max = 40}),
        year = t.integer(),
        bytes = t.blob({max = 10000000}),
    },
    mode = 'write',
    run = function(ctx, args)
        local length = type(args.bytes) == 'string' and #args.bytes
            or args.bytes.length
        ctx:create('film', {name = args.name, year = args.year,
            length = length, body = args.bytes})
    end,
})
films:method('same', {
    doc = 'Do two films show the same?',
    args = {one = t.ref('film'), other = t.ref('film')},
    mode = 'read',
    returns = t.boolean(),
    run = function(ctx, args)
        local one = ctx.state.film:get(args.one).body
        local other = ctx.state.film:get(args.other).body
        return type(one) == 'table' and type(other) == 'table'
            and one.hash == other.hash and one.length == other.length
    end,
})
films:method('copy', {
    doc = 'Another name for the same film.',
    args = {of = t.ref('film'), name = t.name({max = 40})},
    mode = 'write',
    run = function(ctx, args)
        local film = ctx.state.film:get(args.of)
        ctx:create('film', {name = args.name, year = film.year,
            length = film.length, body = film.body})
    end,
})
films:method('hang', {
    doc = 'Put a film into a header, where it cannot be.',
    args = {name = t.name({max = 40}), bytes = t.blob({max = 10000000})},
    mode = 'write',
    run = function(ctx, args)
        ctx:create('poster', {name = args.name, picture = args.bytes})
    end,
})

return films
