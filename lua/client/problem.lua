--- How an error of the engine is said to people.
-- @module ate.client.problem
local ate = require('ate')

local M = {}

local function begins(text, prefix)
    return text:sub(1, #prefix) == prefix
end

--- Put what was tried before the text and the rule's name into it, unless the
-- engine has said them.
-- @tparam table err
-- @tparam ?string context such as `bank transfer`
-- @treturn table an error of the same kind
function M.say(err, context)
    local text = err.text
    local rule = err.rule
    if rule ~= nil and not text:find(rule .. ':', 1, true) then
        text = rule .. ': ' .. text
    end
    local chain = context ~= nil and context:match('^%S+')
    if chain and not begins(text, chain)
        and not begins(text, 'chain ' .. chain) then
        text = context .. ': ' .. text
    end
    local said = ate.error(err.code, text)
    said.rule = rule
    said.exit = err.exit
    return said
end

return M
