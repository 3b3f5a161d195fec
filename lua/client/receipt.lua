--- What a write gave back, as one line.
-- @module ate.client.receipt
local ate = require('ate')
local cell = require('ate.client.cell')

local M = {}

local WORDS = {string = true, number = true, cdata = true, boolean = true}

--- `transfer 3.0  index 3  root 77ab12c4…  durable 1.1 ms`
-- @tparam string method
-- @tparam table write {result, index, root, tx, receipt, gas, durable_us}
-- @treturn string
function M.line(method, write)
    local parts = {method}
    if WORDS[type(write.result)] then
        parts[1] = method .. ' ' .. cell.shown(write.result)
    end
    if write.index ~= nil and write.index ~= ate.null then
        parts[#parts + 1] = 'index ' .. cell.text(write.index)
        parts[#parts + 1] = 'root ' .. cell.short(write.root)
    end
    if type(write.durable_us) == 'number' then
        parts[#parts + 1] = ('durable %.1f ms'):format(write.durable_us / 1000)
    end
    if type(write.result) == 'table' then
        parts[#parts + 1] = cell.text(write.result)
    end
    return table.concat(parts, '  ')
end

return M
