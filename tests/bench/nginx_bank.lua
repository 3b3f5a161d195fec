-- luacheck: std luajit+ngx_lua
--- The bank as somebody writes it for nginx and Redis: what a caller must show,
-- what is looked up, what is refused and what is answered are the same as in
-- examples/bank/bank.lua behind ate's REST door. Nothing is signed, and no log
-- can be checked.
local cjson = require('cjson.safe')
local redis = require('nginx.redis')
local M = {}

local callers = {} -- who has which bearer key
local objects = ngx.shared.objects -- TYPE/KEY -> JSON of what is stored

--- Take the one bearer key and alice's account, from ate's own answer.
function M.load()
    callers[os.getenv('ATE_BEARER')] = 'me'
    local file = assert(io.open(ngx.config.prefix() .. '/account.json'))
    local answer = assert(cjson.decode(file:read('*a')))
    file:close()
    assert(objects:set('account/' .. answer.name, cjson.encode({
        at = answer._.at,
        author = answer._.author,
        time = answer._.time,
        name = answer.name,
        owner = answer.owner,
    })))
end

local function answer(status, media_type, body)
    ngx.status = status
    ngx.header['Content-Type'] = media_type
    ngx.header['Content-Length'] = #body
    ngx.print(body)
end

local function refuse(status, detail)
    answer(status, 'application/problem+json', cjson.encode({
        type = 'about:blank',
        status = status,
        detail = detail,
    }))
end

--- Who has the key of `Authorization: Bearer KEY`; nil: nobody.
local function caller()
    local text = ngx.var.http_authorization
    if text == nil or text:sub(1, 7):lower() ~= 'bearer ' then
        return nil
    end
    return callers[text:sub(8)]
end

--- An account as JSON, in the order that ate has.
local function shown(account)
    local json = cjson.encode
    return '{"_":{"at":' .. json(account.at)
        .. ',"author":' .. json(account.author)
        .. ',"time":' .. json(account.time)
        .. '},"id":' .. json(account.name)
        .. ',"name":' .. json(account.name)
        .. ',"owner":' .. json(account.owner) .. '}'
end

--- GET types/TYPE/KEY: the key is known, the object is there, it is decoded,
-- the caller does not have it already, and it is encoded.
function M.read()
    if caller() == nil then
        return refuse(401, 'the key is not known')
    end
    if ngx.req.get_method() ~= 'GET' then
        return refuse(405, 'GET reads an object')
    end
    local stored = objects:get(ngx.var[1] .. '/' .. ngx.var[2])
    if stored == nil then
        return refuse(404, 'there is no such object')
    end
    local account = cjson.decode(stored)
    local etag = '"' .. account.at .. '"'
    ngx.header['ETag'] = etag
    if ngx.var.http_if_none_match == etag then
        return ngx.exit(304)
    end
    answer(200, 'application/json', shown(account))
end

local function is_name(value)
    return type(value) == 'string' and #value >= 1 and #value <= 40
end

--- The transfer that the request's body asks for, its amount in cents.
local function asked()
    ngx.req.read_body()
    local args = cjson.decode(ngx.req.get_body_data() or '')
    if type(args) ~= 'table' or not is_name(args.from)
            or not is_name(args.to) or type(args.amount) ~= 'string' then
        return nil
    end
    local whole, cents = args.amount:match('^(%d+)%.(%d%d)$')
    if whole == nil then
        return nil
    end
    return args.from, args.to, tonumber(whole .. cents)
end

--- POST methods/transfer: the key is known, the arguments are what the method
-- takes; Redis does the rest (redis_bank.lua) and has it on disk when it
-- answers. Connections to it are kept.
function M.transfer()
    local who = caller()
    if who == nil then
        return refuse(401, 'the key is not known')
    end
    if ngx.req.get_method() ~= 'POST' then
        return refuse(405, 'POST calls a method')
    end
    local from, to, amount = asked()
    if from == nil then
        return refuse(400, 'a transfer has from, to and an amount as 12.50')
    end
    local db = redis:new()
    local ok, err = db:connect('unix:' .. ngx.config.prefix() .. '/redis.sock')
    if not ok then
        return refuse(503, err)
    end
    local index
    index, err = db:fcall('transfer', 2, 'account:' .. from, 'account:' .. to,
        amount, who)
    if index == nil then
        return refuse(503, err)
    end
    db:set_keepalive(60000, 256)
    if not index then
        return refuse(422, err)
    end
    answer(200, 'application/json',
        cjson.encode({index = index, result = index .. '.0'}))
end

return M
