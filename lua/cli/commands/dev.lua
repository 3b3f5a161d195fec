--- ate dev: tools for trying out what happens when a disk fails.
local shell = require('ate.client.shell')
local flip = require('ate.cli.flip')

local function flip_byte(ctx)
    local done, err = flip.run(ctx.args.PATH, ctx.options.offset)
    if done == nil then
        return nil, err
    end
    if ctx.out.is_json then
        ctx.out:json(done)
        return 0
    end
    ctx.out:line(('%s offset %d: %02x is now %02x'):format(done.file,
        done.offset, done.before, done.after))
    ctx.out:talk(('undo: ate dev flip-byte %s --offset %d'):format(
        shell.quoted(done.file), done.offset))
    return 0
end

return {
    name = 'dev',
    doc = 'Tools for trying things out.',
    verbs = {
        {
            name = 'flip-byte',
            doc = 'Damage one byte of a file; the same again repairs it.',
            args = {{name = 'PATH',
                doc = 'A file, or a chain\'s folder: then its header file.'}},
            options = {{name = 'offset', value = 'N', number = true,
                doc = 'Which byte; else one in the middle.'}},
            examples = {'ate dev flip-byte /tmp/copy'},
            run = flip_byte,
        },
    },
}
