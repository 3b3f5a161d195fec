--- ate config: the configuration, checked and shown.
local ate = require('ate')
local config = require('ate.client.config')
local grid = require('ate.client.grid')
local mounting = require('ate.cli.mounting')
local settings = require('ate.cli.settings')

local HIDDEN = '(hidden)'

local function read(ctx)
    local conf, places = config.read(ctx:data(), settings.named(ctx.options))
    if conf == nil then
        return nil, places
    end
    return conf, places or {}
end

--- Where the file is, when there is one.
local function path_of(ctx)
    local path = config.path(ctx:data(), settings.named(ctx.options))
    return ate.host.kind(path) ~= nil and path or nil
end

--- Open the folder if something in it counts: keys, and who serves it.
-- @treturn[1] ?table session
-- @treturn[2] nil
-- @treturn[2] table err
local function open(ctx, conf)
    if conf.as == nil and conf.mount == nil
        or ate.host.kind(ctx:data()) ~= 'folder' then
        return nil
    end
    return ctx:open('read')
end

local function check(ctx)
    local conf, err = read(ctx)
    if conf == nil then
        return nil, err
    end
    local session
    session, err = open(ctx, conf)
    if err ~= nil then
        return nil, err
    end
    local ok
    ok, err = settings.check(ctx:data(), ctx.options,
        session ~= nil and session:is_remote())
    if ok and session ~= nil then
        ok, err = mounting.check_key(session, conf.as)
    end
    if not ok then
        return nil, err
    end
    local path = path_of(ctx)
    if ctx.out.is_json then
        ctx.out:json({ok = true, file = path})
    else
        ctx.out:line(path ~= nil and path .. ': ok'
            or 'there is no configuration, and none is needed')
    end
    return 0
end

--- Hosts as they may be shown: headers hold keys.
local function shown_hosts(hosts)
    local list = ate.list({})
    for i, item in ipairs(hosts) do
        if type(item) == 'table' then
            local headers = {}
            for name, value in pairs(item.headers or {}) do
                headers[name] = type(value) == 'table' and value or HIDDEN
            end
            item = {host = item.host, headers = headers}
        end
        list[i] = item
    end
    return list
end

local function shown(name, value)
    if name == 'http.hosts' then
        return shown_hosts(value)
    end
    return type(value) == 'table' and value[1] ~= nil and ate.list(value)
        or value
end

local DEFAULT = 'default'

--- What is set, in the order of the manual: {name, value, place}.
local function flat(conf, places)
    local list = {}
    local function add(keys, from, above)
        for _, key in ipairs(keys) do
            local value = from[key.name]
            local name = above .. key.name
            if key.keys ~= nil then
                add(key.keys, value or {}, name .. '.')
            elseif value == nil and key.default ~= nil then
                list[#list + 1] = {name = name, value = key.default,
                    place = DEFAULT}
            elseif value ~= nil then
                list[#list + 1] = {name = name, value = shown(name, value),
                    place = places[from][key.name]}
            end
        end
    end
    add(config.KEYS, conf, '')
    return list
end

local function text_of(value)
    if type(value) == 'table' then
        return ate.json.encode(value)
    end
    return tostring(value)
end

local function show(ctx)
    local conf, places = read(ctx)
    if conf == nil then
        return nil, places
    end
    local list = flat(conf, places)
    if ctx.out.is_json then
        for i, item in ipairs(list) do
            list[i] = {key = item.name, value = item.value, place = item.place}
        end
        ctx.out:json(ate.list(list))
        return 0
    end
    local lines = {}
    for i, item in ipairs(list) do
        lines[i] = {item.name, ('%s  (%s)'):format(text_of(item.value),
            item.place)}
    end
    ctx.out:write(grid.facts(lines, ctx.out:bolder()))
    return 0
end

return {
    name = 'config',
    doc = 'The configuration of a node, ate.conf.lua.',
    verbs = {
        {
            name = 'check',
            doc = 'Say what is wrong in it, and where.',
            options = {settings.option},
            examples = {'ate config check',
                'ate config check --config /etc/ate/ate.conf.lua'},
            run = check,
        },
        {
            name = 'show',
            doc = 'Show what is set, and where; values of headers are '
                .. 'hidden.',
            options = {settings.option},
            examples = {'ate config show --json'},
            run = show,
        },
    },
}
