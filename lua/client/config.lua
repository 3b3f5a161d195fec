--- The configuration of a node: DATA/config.lua, Lua data that is checked.
-- @module ate.client.config
local ate = require('ate')

local M = {}

local function wrong(path, text, ...)
    return nil, ate.error('INVALID', path .. ': ' .. text:format(...))
end

--- Keys of a section and what they are; a function checks one value.
local function is_texts(value)
    if type(value) ~= 'table' then
        return false
    end
    for key, item in pairs(value) do
        if type(key) ~= 'number' or type(item) ~= 'string' then
            return false
        end
    end
    return true
end

local function is_headers(value)
    if type(value) ~= 'table' then
        return false
    end
    for name, text in pairs(value) do
        if type(name) ~= 'string' or type(text) ~= 'string' then
            return false
        end
    end
    return true
end

local function is_hosts(value)
    if type(value) ~= 'table' then
        return false
    end
    for key, item in pairs(value) do
        if type(key) ~= 'number' then
            return false
        end
        if type(item) == 'table' then
            for name in pairs(item) do
                if name ~= 'host' and name ~= 'headers' then
                    return false
                end
            end
            if type(item.host) ~= 'string'
                or item.headers ~= nil and not is_headers(item.headers) then
                return false
            end
        elseif type(item) ~= 'string' then
            return false
        end
    end
    return true
end

local SECTIONS = {
    http = {
        hosts = {is_hosts, 'a list of hosts, each a text or {host = \'...\', '
            .. 'headers = {name = \'...\'}}'},
        private = {is_texts, 'a list of addresses or networks'},
        ca = {function(value) return type(value) == 'string' end,
            'the name of a file'},
    },
}

local function check_section(path, name, section)
    local known = SECTIONS[name]
    if known == nil then
        return wrong(path, "there is no section '%s'; there is http",
            tostring(name))
    end
    if type(section) ~= 'table' then
        return wrong(path, '%s: is a table', name)
    end
    for key, value in pairs(section) do
        local kind = known[key]
        if kind == nil then
            return wrong(path, "%s: no such key '%s'", name, tostring(key))
        end
        if not kind[1](value) then
            return wrong(path, '%s.%s: is %s', name, key, kind[2])
        end
    end
    return true
end

--- Read the file: text that sees no function, and so is data.
-- @tparam string folder the data folder
-- @treturn[1] table the configuration; empty when there is no file
-- @treturn[2] nil
-- @treturn[2] table err
function M.read(folder)
    local path = (folder:gsub('(.)/+$', '%1')) .. '/config.lua'
    if ate.host.kind(path) == nil then
        return {}
    end
    local file, problem = io.open(path, 'rb')
    if file == nil then
        return nil, ate.error('DENIED', problem)
    end
    local text = file:read('*a') or ''
    file:close()
    if text:sub(1, 1) == '\27' then
        return wrong(path, 'is no text')
    end
    local chunk, mistake = loadstring(text, '@' .. path)
    if chunk == nil then
        return nil, ate.error('INVALID', mistake)
    end
    local ran, config = pcall(setfenv(chunk, {}))
    if not ran then
        return nil, ate.error('INVALID', tostring(config))
    end
    if type(config) ~= 'table' then
        return wrong(path, 'returns no table; write return {...}')
    end
    for name, section in pairs(config) do
        local ok, err = check_section(path, name, section)
        if not ok then
            return nil, err
        end
    end
    return config
end

local function http_of(http)
    local hosts = {}
    for i, item in ipairs(http.hosts or {}) do
        hosts[i] = item
    end
    local private = {}
    for i, item in ipairs(http.private or {}) do
        private[i] = item
    end
    return {hosts = ate.list(hosts), private = ate.list(private), ca = http.ca}
end

--- Let the workers of a session ask what the configuration allows.
-- @tparam table session not remote
-- @tparam string folder
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] table err
function M.apply(session, folder)
    local config, err = M.read(folder)
    if config == nil then
        return nil, err
    end
    if config.http == nil then
        return true
    end
    return session.node:http(http_of(config.http))
end

return M
