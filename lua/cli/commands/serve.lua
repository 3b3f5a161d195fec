--- ate serve: let other processes in by the folder's socket.
local ate = require('ate')
local data = require('ate.client.data')
local log = require('ate.cli.log')
local mounting = require('ate.cli.mounting')
local settings = require('ate.cli.settings')

local function say_ready(ctx, path, daemon)
    local url, metrics = daemon:where()
    local dir = daemon.settings.mount
    daemon.log:say('info', 'ready', {socket = path, mount = dir,
        rest = url ~= '' and url or nil,
        metrics = metrics ~= '' and metrics or nil})
    if ctx.out.is_json then
        ctx.out:json_line({ready = path, mount = dir,
            rest = url ~= '' and url or nil,
            metrics = metrics ~= '' and metrics or nil})
    else
        for _, fact in ipairs({{'rest', url}, {'metrics', metrics},
            {'mount', dir or ''}, {'ready', path}}) do
            if fact[2] ~= '' then
                ctx.out:line(('%s  %s'):format(fact[1], fact[2]))
            end
        end
    end
    io.stdout:flush()
    daemon:notify('READY=1\nSTATUS=serving ' .. path)
end

local function start(ctx, daemon, folder, path)
    if data.kind(folder) == 'foreign' then
        return nil, ate.error('INVALID', 'serve: ' .. data.why_foreign(folder))
    end
    daemon.log:say('info', 'start', {folder = folder, version = ate.version,
        made = ate.host.kind(folder) == nil or nil})
    local session, err = ctx:open('create',
        {is_local = daemon.sockets.socket ~= nil})
    if session == nil then
        return nil, err
    end
    if session:is_remote() then
        return nil, ate.error('UNAVAILABLE', 'serve: another process serves '
            .. path)
    end
    local ok
    ok, err = daemon:open(session)
    if ok and daemon.log.format == nil then
        ctx:say_made()
    end
    return ok, err
end

-- What serve writes into a folder by itself.
local OWN = {bearer = true, lock = true, rest = true, socket = true}

--- A folder that was made for nothing is taken away, if nothing else is in it.
local function remove_made(ctx, folder)
    local names = ctx.is_new_folder and ate.host.names(folder) or {}
    for _, name in ipairs(names) do
        if not OWN[name] then
            return
        end
    end
    for _, name in ipairs(names) do
        os.remove(folder .. '/' .. name)
    end
    if ctx.is_new_folder then
        os.remove(folder)
    end
end

local function run(ctx)
    ate.host.ignore_pipe(true) -- whoever reads the log is not who is served
    local folder = ctx:data():gsub('(.)/+$', '%1')
    local path = folder .. '/socket'
    local daemon, err = require('ate.cli.daemon').new(ctx.out, folder,
        ctx.options)
    if daemon == nil then
        return nil, err
    end
    local ok
    ok, err = start(ctx, daemon, folder, path)
    if ok then
        say_ready(ctx, path, daemon)
        daemon:run()
    end
    daemon:notify('STOPPING=1')
    daemon:close()
    if ok then
        daemon.log:say('info', 'stop', {})
        return 0
    end
    ctx:close()
    remove_made(ctx, folder)
    daemon.log:fail('stop', err)
    if daemon.log.format ~= nil then
        return err.exit -- each line of stderr is one of the log
    end
    return nil, err
end

return {
    name = 'serve',
    doc = 'Serve the data folder to other processes.',
    more = 'All commands then go through DATA/socket, which opens chains once '
        .. 'and keeps them\nopen. Workers work by themselves, and may ask whom '
        .. 'the configuration names. Ctrl-C or\nTERM ends it: writes under way '
        .. 'are finished and answered first; a second TERM ends it\nat once, '
        .. 'which loses nothing that was acknowledged.\n\n--rest serves the '
        .. 'chains by HTTP, to who has the key that ate key bearer prints.\nAn '
        .. 'address is PORT, on this machine alone, or HOST:PORT; port 0 takes '
        .. 'a free\none, which is printed.\n\nWhat is no option stands in '
        .. 'ate.conf.lua, see ate.conf(5); options go before it. HUP\nreads '
        .. 'it again: hosts, addresses, certificates, schemas. A service '
        .. 'manager is told of\nreadiness (sd_notify), and may hand over '
        .. 'the sockets.',
    options = {
        settings.option,
        {name = 'log', value = 'FORMAT', choices = log.FORMATS,
            doc = 'Say what happens on stderr, one line an event: json or '
                .. 'logfmt.'},
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
