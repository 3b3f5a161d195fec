--- What those who follow are told, change by change.
-- @module ate.client.changes
local M = {}

--- The changes of one chunk: each has one of `put`, `gone`, `value` and
-- `reset`, or none; the last has `at`, the position, if with it all is told.
-- @tparam table chunk as the engine gives it
-- @treturn table list
function M.of(chunk)
    local list = {}
    if chunk.reset ~= nil then
        list[1] = {reset = chunk.reset}
    end
    for _, change in ipairs(chunk.changes or {}) do
        list[#list + 1] = change
    end
    if chunk.gone ~= nil then
        list[#list + 1] = {gone = true}
    elseif chunk.value ~= nil then
        list[#list + 1] = {value = chunk.value}
    end
    if #list == 0 then
        list[1] = {}
    end
    list[#list].at = chunk.at
    return list
end

--- Of a transaction that a tail tells: itself, with its position.
function M.of_tail(tx)
    tx.at = tx.index + 1
    return {tx}
end

return M
