--- What a chain has for an argument that is missing.
-- @module ate.cli.offer
local context = require('ate.cli.context')
local shape = require('ate.client.shape')

local M = {}

local PARTS = {METHOD = 'method', TYPE = 'type', VIEW = 'view'}

--- `; there are: balance`, or nothing when nobody can say.
-- @tparam table command
-- @tparam table missing as args.parse() has it
-- @tparam table out
-- @treturn string
function M.of(command, missing, out)
    local what = PARTS[missing.name]
    if what == nil then
        return ''
    end
    local ctx = context.new(command, missing.args, missing.options, out)
    local session = ctx:open('read')
    local chain = missing.args.NAME
    local schema = session ~= nil and session:schema(chain)
    local text = schema and shape.there_are(schema, what, chain) or ''
    ctx:close()
    return text
end

return M
