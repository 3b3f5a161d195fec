--- What ate serve is to do: options of the command line, then ate.conf.lua.
-- @module ate.cli.settings
local ate = require('ate')
local config = require('ate.client.config')
local files = require('ate.client.files')
local mounting = require('ate.cli.mounting')

local M = {}

--- The option that every command with a configuration has.
M.option = {name = 'config', value = 'FILE', doc = 'The configuration (else '
    .. '$ATE_CONFIG, else DATA/ate.conf.lua).'}

--- The file that was named, if one was.
-- @tparam table options
-- @treturn ?string
function M.named(options)
    local named = options.config or os.getenv('ATE_CONFIG')
    return named ~= '' and named or nil
end

local has_rest, rest = pcall(require, 'ate.rest')
local MS = 1000 -- of a second

--- What the doors of REST and of the metrics are started with.
-- @tparam string folder the data folder
-- @tparam table settings as of read()
-- @treturn table for ate.rest
function M.doors(folder, settings)
    local limits = settings.limits
    local given = {folder = folder, cert = settings.cert, key = settings.key,
        origins = settings.cors, plain = settings.plain,
        limits = {body = limits.rest_body,
            connections = limits.rest_connections,
            streams = limits.rest_streams,
            request_ms = limits.rest_request_s * MS,
            idle_ms = limits.rest_idle_s * MS,
            call_ms = limits.rest_call_s * MS}}
    if type(settings.rest) == 'number' then
        given.fd = settings.rest
    else
        given.address = settings.rest
    end
    if type(settings.metrics) == 'number' then
        given.metrics_fd = settings.metrics
    else
        given.metrics = settings.metrics
    end
    return given
end

--- Whether the doors of REST and of the metrics could open.
-- @tparam string folder the data folder
-- @tparam table settings as of read()
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] table err
function M.check_doors(folder, settings)
    if has_rest then
        return rest.check(nil, M.doors(folder, settings))
    elseif settings.rest == nil and settings.metrics == nil then
        return true
    end
    return nil, ate.error('UNAVAILABLE', 'serve: this ate was built without '
        .. 'REST')
end

-- Without REST these mean nothing.
local OF_REST = {'tls-cert', 'tls-key', 'cors', 'plain'}

local function check(settings, options)
    if settings.rest ~= nil or settings.metrics ~= nil then
        return true
    end
    for _, name in ipairs(OF_REST) do
        if options[name] ~= nil then
            return nil, ate.error('INVALID', ('serve: --%s is nothing '
                .. 'without --rest'):format(name))
        end
    end
    return true
end

--- Read the configuration and put the options before it.
-- @tparam string folder the data folder
-- @tparam table options
-- @tparam[opt] table sockets handed over: {rest = fd, metrics = fd}
-- @treturn[1] table {rest, metrics, cert, key, cors, plain, mount, as, log,
-- schemas, limits, config}; rest and metrics are addresses or descriptors
-- @treturn[2] nil
-- @treturn[2] table err
function M.read(folder, options, sockets)
    local conf, err = config.read(folder, M.named(options))
    if conf == nil then
        return nil, err
    end
    local tls = conf.tls or {}
    local cors = conf.cors ~= nil and table.concat(conf.cors, ',') or nil
    local settings = {
        rest = sockets and sockets.rest or options.rest or conf.rest,
        metrics = sockets and sockets.metrics or options.metrics
            or conf.metrics,
        cert = options['tls-cert'] or config.file(conf, tls.cert),
        key = options['tls-key'],
        cors = options.cors or cors,
        plain = options.plain or conf.plain,
        mount = options.mount or config.file(conf, conf.mount),
        as = options.as or conf.as,
        log = options.log or conf.log,
        schemas = {},
        limits = config.limits(conf),
        config = conf,
    }
    if options['tls-cert'] == nil and settings.key == nil then
        settings.key = config.file(conf, tls.key)
    end
    for chain, path in pairs(conf.schemas or {}) do
        settings.schemas[#settings.schemas + 1] = {chain = chain,
            path = config.file(conf, path)}
    end
    table.sort(settings.schemas, function(a, b)
        return a.chain < b.chain
    end)
    local ok
    ok, err = check(settings, options)
    if ok then
        ok, err = files.check('certificate', settings.cert)
    end
    if ok then
        ok, err = files.check('key', settings.key)
    end
    if not ok then
        return nil, err
    end
    return settings
end

--- Whether there are the files of schemas.
local function check_schemas(schemas)
    for _, item in ipairs(schemas) do
        if ate.host.kind(item.path) ~= 'file'
            and not item.path:match('^ate:') then
            return nil, ate.error('NOT_FOUND', ('schemas.%s: there is no '
                .. 'file %s'):format(item.chain, item.path))
        end
    end
    return true
end

--- Whether ate serve would take the configuration, as far as that shows without
-- serving: addresses, hosts, origins, and the files and folders that it names.
-- @tparam string folder the data folder
-- @tparam table options of which `config` counts
-- @tparam boolean is_served somebody serves the folder
-- @treturn[1] table settings
-- @treturn[2] nil
-- @treturn[2] table err
function M.check(folder, options, is_served)
    local settings, err = M.read(folder, {config = options.config})
    local ok = settings ~= nil
    if ok then
        ok, err = config.check_http(settings.config)
    end
    if ok then
        ok, err = M.check_doors(folder, settings)
    end
    if ok and settings.mount ~= nil then
        ok, err = mounting.check(settings.mount, is_served)
    end
    if ok then
        ok, err = check_schemas(settings.schemas)
    end
    if not ok then
        return nil, err
    end
    return settings
end

return M
