--- ate serve: let other processes in by the folder's socket.
local ate = require('ate')
local mounting = require('ate.cli.mounting')

--- Wait for the end; a mount that somebody else unmounted is not put back.
local function wait_for_the_end(ctx, mount)
    if mounting.wait(mount) then
        ctx.out:warn('serve: ' .. ctx.options.mount .. ' was unmounted')
        mount:stop()
        mount = nil
        mounting.wait(nil)
    end
    if mount ~= nil then
        mount:stop()
    end
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
    local mount
    if ctx.options.mount ~= nil then
        mount, err = mounting.start(session, ctx.options.mount, ctx.options)
        if mount == nil then
            return nil, err
        end
    end
    if ctx.out.is_json then
        ctx.out:json_line({ready = path, mount = ctx.options.mount})
    else
        ctx.out:line('ready  ' .. path)
    end
    io.stdout:flush()
    wait_for_the_end(ctx, mount)
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
    options = {
        {name = 'mount', value = 'DIR', doc = 'Show the chains as files there, '
            .. 'too; see ate mount.'},
        mounting.as,
    },
    examples = {'ate serve --data /var/lib/ate',
        'ate serve --mount /mnt/ate'},
    run = run,
}
