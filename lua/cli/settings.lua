--- What ate serve is to do: options of the command line, then ate.conf.lua.
-- @module ate.cli.settings
local ate = require('ate')
local config = require('ate.client.config')
local files = require('ate.client.files')

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

return M
