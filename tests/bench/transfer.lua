-- luacheck: globals request done wrk
-- For wrk: transfers of a cent, forth and back.
local i = 0

function request()
    i = i + 1
    local from, to = 'alice', 'bob'
    if i % 2 == 0 then
        from, to = to, from
    end
    return wrk.format('POST', '/v1/bank/methods/transfer', {
        ['Content-Type'] = 'application/json',
        ['Authorization'] = 'Bearer ' .. os.getenv('ATE_BEARER'),
    }, ('{"from":"%s","to":"%s","amount":"0.01"}'):format(from, to))
end

function done(summary)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.timeout
        + errors.status
    if failed > 0 then
        io.stderr:write(('%d requests failed\n'):format(failed))
    end
end
