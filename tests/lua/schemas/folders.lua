-- A tree of one type: those at the top have no parent.
local ate = require('ate')
local t = ate.types
local folders = ate.schema('folders', {
    doc = 'Folders within folders, and files in them.',
    version = 1,
})
folders:object('folder', {
    doc = 'Holds folders and files.',
    parent = 'above',
    key = {'name'},
    header = {
        above = t.optional(t.ref('folder')),
        name = t.name(),
        note = t.optional(t.text()),
    },
})
folders:object('file', {
    doc = 'In a folder, or at the top.',
    parent = 'folder',
    key = {'name'},
    header = {folder = t.optional(t.ref('folder')), name = t.name()},
})
folders:object('share', {
    doc = 'A folder that somebody sees.',
    key = {'folder', 'who'},
    header = {folder = t.ref('folder'), who = t.identity()},
})
folders:method('note', {
    doc = 'Write a note on the folder of a path.',
    mode = 'write',
    args = {path = t.text({max = 4096}), note = t.text()},
    run = function(ctx, args)
        ctx:patch('folder', args.path, {note = args.note})
    end,
})
folders:method('read', {
    doc = 'The note of a folder, found by its path.',
    mode = 'read',
    args = {path = t.text({max = 4096})},
    returns = t.text(),
    run = function(ctx, args)
        return ctx.state.folder:get(args.path).note
    end,
})
return folders
