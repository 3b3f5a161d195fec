--- The configuration of a node: ate.conf.lua, Lua data that is checked.
--
-- It stands in the data folder unless another file is named. Names of files in
-- it are seen from its own folder.
-- @module ate.client.config
local ate = require('ate')
local files = require('ate.client.files')
local literal = require('ate.client.literal')
local suggest = require('ate.client.suggest')

local M = {}

M.NAME = 'ate.conf.lua'
local OLD_NAME = 'config.lua'

-- ---- kinds of values: what they are, and nil or what is wrong ----

local function is_text(value)
    return type(value) == 'string' and value ~= ''
end

local function is_list_of(is_item)
    return function(value)
        if type(value) ~= 'table' then
            return false
        end
        for key, item in pairs(value) do
            if type(key) ~= 'number' or not is_item(item) then
                return false
            end
        end
        return true
    end
end

local function is_map_of(is_item)
    return function(value)
        if type(value) ~= 'table' then
            return false
        end
        for key, item in pairs(value) do
            if type(key) ~= 'string' or not is_item(item) then
                return false
            end
        end
        return true
    end
end

--- A header is a text, or stands in a file of its own: {file = 'NAME'}.
local function is_header(value)
    return type(value) == 'string'
        or type(value) == 'table' and is_text(value.file)
            and next(value, next(value)) == nil
end

local is_headers = is_map_of(is_header)

local function is_host(item)
    if type(item) ~= 'table' then
        return is_text(item)
    end
    for name in pairs(item) do
        if name ~= 'host' and name ~= 'headers' then
            return false
        end
    end
    return is_text(item.host)
        and (item.headers == nil or is_headers(item.headers))
end

local text = {is_text, 'a text'}
local file = {is_text, 'the name of a file'}
local texts = {is_list_of(is_text), 'a list of texts'}
local switch = {function(value) return type(value) == 'boolean' end,
    'true or false'}
local log = {function(value) return value == 'json' or value == 'logfmt' end,
    "'json' or 'logfmt'"}
local stage = {function(value)
    return is_text(value) and #value <= 16 and not value:find('[^%w_.-]')
end, "a word such as 'prod', of at most 16 letters and digits"}
--- A whole number between two bounds; `default` where nothing is set.
local function whole(least, most, unit)
    return {function(value)
        return type(value) == 'number' and value % 1 == 0 and value >= least
            and value <= most
    end, ('a whole number%s from %d to %d'):format(unit and ' of ' .. unit
        or '', least, most)}
end

local hosts = {is_list_of(is_host), "a list of hosts, each a text or {host = "
    .. "'...', headers = {name = '...'}}"}
local schemas = {is_map_of(is_text), 'a table of files by chain'}

--- All keys, in the order of ate.conf(5): name, kind, doc; or name, keys, doc.
-- One that has a default is always set.
M.KEYS = {
    {name = 'rest', kind = text, doc = 'HOST:PORT, or PORT on this machine '
        .. 'alone: serve REST there.'},
    {name = 'metrics', kind = text, doc = 'HOST:PORT of /metrics, /healthz '
        .. 'and /readyz.'},
    {name = 'tls', doc = 'Serve REST by TLS 1.3.', keys = {
        {name = 'cert', kind = file, doc = 'The chain of certificates.'},
        {name = 'key', kind = file, doc = 'Their key, if it is in another '
            .. 'file.'},
    }},
    {name = 'cors', kind = texts, doc = 'Origins whose pages may read REST.'},
    {name = 'plain', kind = switch, doc = 'Serve REST beyond this machine '
        .. 'without TLS: something in front does it.'},
    {name = 'mount', kind = file, doc = 'A folder: show the chains as files '
        .. 'there.'},
    {name = 'as', kind = text, doc = 'The key that signs what is written '
        .. 'there.'},
    {name = 'log', kind = log, doc = "What happens, on stderr: 'json' or "
        .. "'logfmt'."},
    {name = 'stage', kind = stage, doc = 'What this folder is for, in the '
        .. "prompt of ate repl: 'test'; one that begins with 'prod' stands "
        .. 'there in red.'},
    {name = 'schemas', kind = schemas, doc = 'Schemas by chain: what is '
        .. 'another than the one in force is put in force, at start and on '
        .. 'HUP.'},
    {name = 'limits', doc = 'How much the doors take.', keys = {
        {name = 'rest_body', kind = whole(1024, 2 ^ 24, 'bytes'),
            default = 2 ^ 24, doc = 'The largest body of a request.'},
        {name = 'rest_connections', kind = whole(1, 10000), default = 1024,
            doc = 'Connections to REST at a time.'},
        {name = 'rest_streams', kind = whole(1, 10000), default = 512,
            doc = 'How many of these may be event streams and web sockets.'},
        {name = 'rest_request_s', kind = whole(1, 600, 'seconds'),
            default = 10, doc = 'Until a request has come, whole.'},
        {name = 'rest_idle_s', kind = whole(1, 3600, 'seconds'), default = 10,
            doc = 'Until the next one begins on a connection that is kept.'},
        {name = 'rest_call_s', kind = whole(1, 600, 'seconds'), default = 30,
            doc = 'Until the engine has answered.'},
        {name = 'socket_callers', kind = whole(1, 4096), default = 256,
            doc = 'Other processes at the socket of the folder at a time.'},
    }},
    {name = 'http', doc = 'Whom workers may ask.', keys = {
        {name = 'hosts', kind = hosts, doc = 'Hosts, with the headers that go '
            .. 'with every request.'},
        {name = 'private', kind = texts, doc = 'Addresses or networks that '
            .. 'are not public, and may be asked.'},
        {name = 'ca', kind = file, doc = 'Certificates to trust instead of '
            .. 'the system\'s.'},
    }},
}

-- ---- checking ----

local function find(keys, name)
    local names = {}
    for i, key in ipairs(keys) do
        if key.name == name then
            return key
        end
        names[i] = key.name
    end
    return nil, names
end

local function wrong(where, why, ...)
    return nil, ate.error('INVALID', where .. ': ' .. why:format(...))
end

--- Keys in the order in which they stand, so that the first mistake is told.
local function in_order(value, places)
    local names = {}
    for name in pairs(value) do
        names[#names + 1] = name
    end
    local function rank(name)
        local line, column = places[value][name]:match(':(%d+):(%d+)$')
        return line * 1e6 + column
    end
    table.sort(names, function(a, b)
        return rank(a) < rank(b)
    end)
    return names
end

local function check(keys, value, places, above)
    for _, name in ipairs(in_order(value, places)) do
        local where = places[value][name]
        local shown = above .. tostring(name)
        local key, names = find(keys, name)
        if key == nil then
            return wrong(where, "there is no key '%s'%s", shown,
                suggest.hint_or_list(tostring(name), names))
        end
        local item = value[name]
        if key.keys ~= nil and type(item) ~= 'table' then
            return wrong(where, '%s: is a table', shown)
        elseif key.keys ~= nil then
            local ok, err = check(key.keys, item, places, shown .. '.')
            if not ok then
                return nil, err
            end
        elseif not key.kind[1](item) then
            return wrong(where, '%s: is %s%s', shown, key.kind[2],
                key.kind == text and type(item) == 'number'
                    and ("; write %s = '%s'"):format(name, item) or '')
        end
    end
    return true
end

-- ---- reading ----

local function plain_folder(folder)
    return (folder:gsub('(.)/+$', '%1'))
end

--- Which file it is.
-- @tparam string folder the data folder
-- @tparam[opt] string named by who starts ate
-- @treturn string
function M.path(folder, named)
    return named or plain_folder(folder) .. '/' .. M.NAME
end

--- The name that it had before is refused: half a configuration is none.
local function check_old_name(folder, path)
    local old = plain_folder(folder) .. '/' .. OLD_NAME
    if ate.host.kind(old) == nil then
        return true
    end
    return nil, ate.error('INVALID', ('%s: the configuration is called %s '
        .. 'now; mv %s %s'):format(old, M.NAME, old, path))
end

--- Read and check the file.
-- @tparam string folder the data folder
-- @tparam[opt] string named a file in place of the data folder's own
-- @treturn[1] table the configuration; empty when nobody named a file and
-- there is none
-- @treturn[1] ?table places of its keys, as literal.read() gives them
-- @treturn[2] nil
-- @treturn[2] table err
function M.read(folder, named)
    local path = M.path(folder, named)
    local ok, err = check_old_name(folder, path)
    if not ok then
        return nil, err
    end
    if ate.host.kind(path) == nil then
        if named == nil then
            return {}
        end
        return nil, ate.error('NOT_FOUND', path .. ': there is no such file')
    end
    local content
    content, err = files.read('configuration', path, files.MOST_SMALL)
    if content == nil then
        return nil, err
    end
    local config, places = literal.read(content, path)
    if config == nil then
        return nil, places
    end
    ok, err = check(M.KEYS, config, places, '')
    if not ok then
        return nil, err
    end
    config.folder = path:match('^(.*)/[^/]*$') or '.'
    return config, places
end

--- The limits, with the default of each that is not set.
-- @tparam table config
-- @treturn table by name
function M.limits(config)
    local limits = {}
    for _, key in ipairs((find(M.KEYS, 'limits')).keys) do
        limits[key.name] = (config.limits or {})[key.name] or key.default
    end
    return limits
end

--- A file that the configuration names.
-- @tparam table config
-- @tparam ?string name
-- @treturn ?string
function M.file(config, name)
    if name == nil or name:sub(1, 1) == '/' or name:match('^ate:') then
        return name
    end
    return (config.folder == '' and '' or config.folder) .. '/' .. name
end

-- ---- http ----

--- Headers whose values stand in files: without the line feed at their end.
local function headers_of(config, headers)
    local given = {}
    for name, value in pairs(headers or {}) do
        if type(value) == 'table' then
            local content, err = files.read('header ' .. name,
                M.file(config, value.file), files.MOST_SMALL)
            if content == nil then
                return nil, err
            end
            value = content:gsub('\r?\n$', '')
        end
        given[name] = value
    end
    return given
end

local function http_of(config)
    local http = config.http or {}
    local given = {hosts = ate.list({}), private = ate.list({}),
        ca = M.file(config, http.ca)}
    local ok, wrong_ca = files.check('http.ca', given.ca)
    if ok and given.ca ~= nil and ate.host.kind(given.ca) == nil then
        ok, wrong_ca = nil, ate.error('NOT_FOUND', 'http.ca: there is no file '
            .. given.ca)
    end
    if not ok then
        return nil, wrong_ca
    end
    for i, item in ipairs(http.hosts or {}) do
        if type(item) == 'table' then
            local headers, err = headers_of(config, item.headers)
            if headers == nil then
                return nil, err
            end
            item = {host = item.host, headers = headers}
        end
        given.hosts[i] = item
    end
    for i, item in ipairs(http.private or {}) do
        given.private[i] = item
    end
    return given
end

--- Whether workers could be let ask whom the configuration names.
-- @tparam table config
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] table err
function M.check_http(config)
    if config.http == nil then
        return true
    end
    local given, err = http_of(config)
    if given == nil then
        return nil, err
    end
    return ate.http_check(given)
end

--- Let the workers of a session ask whom the configuration allows.
-- @tparam table session not remote
-- @tparam table config
-- @tparam[opt] boolean again it may have allowed others before
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] table err
function M.apply_http(session, config, again)
    if config.http == nil and not again then
        return true
    end
    local given, err = http_of(config)
    if given == nil then
        return nil, err
    end
    return session.node:http(given)
end

return M
