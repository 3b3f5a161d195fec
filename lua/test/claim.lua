--- How a test fails: at the line that claimed something.
-- @module ate.test.claim
local problem = require('ate.client.problem')

local M = {}

local Failure = {} -- the metatable of what fail() raises

function Failure:__tostring()
    return self.text
end

--- Raise a failure at the line of the test, above all files of ours.
function M.fail(text, ...)
    local where
    for level = 2, 50 do
        local info = debug.getinfo(level, 'Sl')
        if info == nil then
            break
        end
        if info.what ~= 'C' and not info.source:match('^@lua/') then
            where = ('%s:%d'):format((info.source:gsub('^@', '')),
                info.currentline)
            break
        end
    end
    error(setmetatable({text = text:format(...), where = where}, Failure), 0)
end

--- Whether that is what a test raised.
function M.is_failure(raised)
    return getmetatable(raised) == Failure
end

--- An error of the engine in words, with its code.
-- @tparam table err
-- @tparam[opt] string context
-- @treturn string
function M.said(err, context)
    return ('%s (%s)%s'):format(problem.say(err, context).text, err.code,
        err.reason == 'no_key' and "; t:user('NAME') makes one" or '')
end

return M
