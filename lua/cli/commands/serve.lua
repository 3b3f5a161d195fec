--- ate serve: let other processes in by the folder's socket.
local ate = require('ate')
local config = require('ate.client.config')
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

local has_rest, rest = pcall(require, 'ate.rest')

local DOORS = {'rest', 'metrics', 'tls-cert', 'tls-key', 'cors', 'plain'}

--- The doors that were asked for, open; nil when none was.
local function open_doors(ctx, session, folder)
    local options = ctx.options
    if options.rest == nil and options.metrics == nil then
        for _, name in ipairs(DOORS) do
            if options[name] ~= nil then
                return nil, ate.error('INVALID', ('serve: --%s is nothing '
                    .. 'without --rest'):format(name))
            end
        end
        return nil
    end
    if not has_rest then
        return nil, ate.error('UNAVAILABLE', 'serve: this ate was built '
            .. 'without REST')
    end
    return rest.start(session.node, {folder = folder, address = options.rest,
        metrics = options.metrics, cert = options['tls-cert'],
        key = options['tls-key'], origins = options.cors,
        plain = options.plain})
end

--- Keep where REST is, for ate console; a file of an earlier run goes. Whoever
-- serves the folder alone writes it, so it is true while the folder is served.
local function keep_address(folder, doors)
    local path = folder .. '/rest'
    local url = doors ~= nil and doors:where() or ''
    if url == '' then
        os.remove(path)
        return
    end
    local file = io.open(path, 'wb')
    if file ~= nil then
        file:write(url, '\n')
        file:close()
    end
end

local function say_ready(ctx, path, doors)
    local url, metrics = '', ''
    if doors ~= nil then
        url, metrics = doors:where()
    end
    if ctx.out.is_json then
        ctx.out:json_line({ready = path, mount = ctx.options.mount,
            rest = url ~= '' and url or nil, metrics = metrics ~= '' and metrics or nil})
    else
        for _, fact in ipairs({{'rest', url}, {'metrics', metrics},
            {'ready', path}}) do
            if fact[2] ~= '' then
                ctx.out:line(('%s  %s'):format(fact[1], fact[2]))
            end
        end
    end
    io.stdout:flush()
end

local function run(ctx)
    local folder = ctx:data():gsub('(.)/+$', '%1')
    local path = folder .. '/socket'
    local session, err = ctx:open('create')
    if session == nil then
        return nil, err
    end
    if session:is_remote() then
        return nil, ate.error('UNAVAILABLE', 'serve: another process serves '
            .. path)
    end
    local listens
    listens, err = config.apply(session, folder)
    if not listens then
        return nil, err
    end
    listens, err = session:listen()
    if not listens then
        return nil, err
    end
    local doors
    doors, err = open_doors(ctx, session, folder)
    if err ~= nil then
        return nil, err
    end
    keep_address(folder, doors)
    local mount
    if ctx.options.mount ~= nil then
        mount, err = mounting.start(session, ctx.options.mount, ctx.options)
        if mount == nil then
            return nil, err
        end
    end
    say_ready(ctx, path, doors)
    wait_for_the_end(ctx, mount)
    keep_address(folder, nil)
    if doors ~= nil then
        doors:stop()
    end
    session:close() -- writes are waited for, and answered
    return 0
end

return {
    name = 'serve',
    doc = 'Serve the data folder to other processes.',
    more = 'All commands then go through DATA/socket, which opens chains once '
        .. 'and keeps them\nopen. Workers work by themselves, and may ask whom '
        .. 'DATA/config.lua names. Ctrl-C or\nTERM ends it: writes under way '
        .. 'are finished and answered first; a second TERM ends it\nat once, '
        .. 'which loses nothing that was acknowledged.\n\n--rest serves the '
        .. 'chains by HTTP, to who has the key that ate key bearer prints.\nAn '
        .. 'address is PORT, on this machine alone, or HOST:PORT; port 0 takes '
        .. 'a free\none, which is printed.',
    options = {
        {name = 'rest', value = 'HOST:PORT', doc = 'Serve REST there.'},
        {name = 'mount', value = 'DIR', doc = 'Show the chains as files there, '
            .. 'too; see ate mount.'},
        mounting.as,
        {name = 'metrics', value = 'HOST:PORT',
            doc = 'Serve /metrics, /healthz and /readyz there, without a key.'},
        {name = 'tls-cert', value = 'FILE',
            doc = 'Serve REST by TLS 1.3, with this chain of certificates,'},
        {name = 'tls-key', value = 'FILE',
            doc = 'and its key, if that is in another file.'},
        {name = 'cors', value = 'ORIGIN', list = true,
            doc = 'Let pages of this origin read REST; may be repeated.'},
        {name = 'plain', doc = 'Serve REST beyond this machine without TLS: '
            .. 'something in front does it.'},
    },
    examples = {'ate serve --data /var/lib/ate', 'ate serve --rest 8080',
        'ate serve --mount /mnt/ate',
        'ate serve --rest 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem'},
    run = run,
}
