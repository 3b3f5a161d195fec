#!lua name=bank
-- luacheck: globals redis cjson
-- The rules, the event and the view of examples/bank/bank.lua, as a function of
-- Redis: KEYS from, to; ARGV amount in cents, who asks. An account is a hash
-- with `owner` and `amount`; a transfer is kept in the list `transfers`.

local function transfer(keys, args)
    local from, to = keys[1], keys[2]
    local amount, caller = tonumber(args[1]), args[2]
    local account = redis.call('HMGET', from, 'owner', 'amount')
    local owner = account[1]
    if not owner or redis.call('EXISTS', to) == 0 then
        return redis.error_reply('there is no such account')
    end
    if amount < 1 then
        return redis.error_reply('amount: at least 0.01')
    end
    if owner ~= caller then
        return redis.error_reply('not_owner: ' .. from .. ' is not yours')
    end
    local left = tonumber(account[2] or 0) - amount
    if left < -10000 then
        return redis.error_reply('too_deep: ' .. from .. ' would hold ' .. left)
    end
    redis.call('HINCRBY', from, 'amount', -amount)
    redis.call('HINCRBY', to, 'amount', amount)
    return redis.call('RPUSH', 'transfers',
        cjson.encode({from = from, to = to, amount = amount, by = caller}))
end

redis.register_function('transfer', transfer)
