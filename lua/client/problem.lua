--- How an error of the engine is said to people.
-- @module ate.client.problem
local ate = require('ate')

local M = {}

--- The text without the method that the engine put in front, if that is the one
-- that was called: people see it in what stands before.
local function without_method(text, method)
    local whole, qualified, rest = text:match('^([%w_]+%.([%w_.]+)): (.*)$')
    if whole ~= nil and (qualified == method or whole == method) then
        return rest
    end
    return text
end

--- Put what was tried before the text, and the rule's name into it, unless the
-- engine has said that the chain could not be opened.
-- @tparam table err
-- @tparam ?string context a chain, or chain and method: `bank transfer`
-- @treturn table an error of the same kind
function M.say(err, context)
    local text = err.text
    local rule = err.rule
    local chain = err.chain
    if context ~= nil then
        local method
        chain, method = context:match('^(%S+)%s*(.*)$')
        local told = 'chain ' .. chain .. ': '
        if text:sub(1, #told) == told then
            context = nil -- about the chain as a whole
        else
            text = without_method(text, method)
        end
    end
    if rule ~= nil and not text:find(rule .. ':', 1, true) then
        text = rule .. ': ' .. text
    end
    if context ~= nil then
        text = context .. ': ' .. text
    end
    local said = ate.error(err.code, text, err.reason)
    said.rule = rule
    said.at = err.at
    said.chain = chain
    said.exit = err.exit
    return said
end

return M
