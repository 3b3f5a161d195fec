--- ate mount DIR: chains as a tree of files.
local deadline = require('ate.cli.deadline')
local mounting = require('ate.cli.mounting')

--- Where nobody serves the folder, this process does, so that other commands
-- work beside the mount.
local function open(ctx)
    local session, err = ctx:open('create')
    if session == nil or session:is_remote() then
        return session, err
    end
    local listens
    listens, err = session:listen()
    if not listens then
        return nil, err
    end
    return session
end

local function run(ctx)
    local ok, late = deadline.check('mount', ctx.options)
    if not ok then
        return nil, late
    end
    local session, err = open(ctx)
    if session == nil then
        return nil, err
    end
    local mount
    mount, err = mounting.start(session, ctx.args.DIR, ctx.options)
    if mount == nil then
        return nil, err
    end
    if ctx.out.is_json then
        ctx.out:json_line({ready = ctx.args.DIR})
    else
        ctx.out:line('ready  ' .. ctx.args.DIR)
    end
    io.stdout:flush()
    mounting.wait(mount)
    mount:stop()
    session:close()
    return 0
end

return {
    name = 'mount',
    doc = 'Show the chains of the data folder as files.',
    args = {{name = 'DIR', doc = 'An empty folder; made for that time '
        .. 'when it is not there.'}},
    options = {
        mounting.as,
        {name = 'deadline', value = 'MS', number = true,
            doc = 'How long a program may wait for one read or write; 30000 '
                .. 'by default.'},
    },
    more = 'DIR/CHAIN has a file for each method with a `file` annotation, and '
        .. 'types/,\nviews/, methods/ and events.jsonl. A line written to a '
        .. 'method\'s file is a call;\nwhen a rule refuses it, the write '
        .. 'fails. docs/files.md says more.\n\nThe folder is served to other '
        .. 'commands meanwhile, as by ate serve, or the process\nthat serves '
        .. 'it is used. Ctrl-C, TERM or umount ends it.',
    examples = {
        'ate mount /mnt/ate',
        'echo "to=bob amount=12.50" > /mnt/ate/bank/accounts/alice/transfer',
    },
    run = run,
}
