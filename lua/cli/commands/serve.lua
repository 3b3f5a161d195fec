--- ate serve: let other processes in by the folder's socket.
local ate = require('ate')

local function wait_for_the_end()
    repeat
        ate.host.wait({}, -1)
    until ate.host.interrupted()
end

local function run(ctx)
    local path = ctx:data():gsub('(.)/+$', '%1') .. '/socket'
    local session, err = ctx:open('create')
    if session == nil then
        return nil, err
    end
    if session:is_remote() then
        return nil, ate.error('UNAVAILABLE', 'serve: another process serves '
            .. path)
    end
    local listens
    listens, err = session:listen()
    if not listens then
        return nil, err
    end
    if ctx.out.is_json then
        ctx.out:json_line({ready = path})
    else
        ctx.out:line('ready  ' .. path)
    end
    io.stdout:flush()
    wait_for_the_end()
    session:close() -- writes are waited for, and answered
    return 0
end

return {
    name = 'serve',
    doc = 'Serve the data folder to other processes.',
    more = 'All commands then go through DATA/socket, which opens chains once '
        .. 'and keeps them\nopen. Ctrl-C or TERM ends it: writes under way are '
        .. 'finished and answered first;\na second TERM ends it at once, which '
        .. 'loses nothing that was acknowledged.',
    examples = {'ate serve --data /var/lib/ate'},
    run = run,
}
