-- luacheck: globals request wrk
-- For wrk: each of 2,000 accounts in turn.
local i = 0

function request()
    i = i % 2000 + 1
    return wrk.format('GET', '/v1/bank/types/account/n' .. i, {
        ['Authorization'] = 'Bearer ' .. os.getenv('ATE_BEARER'),
    })
end
