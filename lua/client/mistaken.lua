--- A schema that is run as a script or as a test.
-- @module ate.client.mistaken
local ate = require('ate')

local M = {}

--- Have `ate.schema`, which only the sandbox of schemas has, say so.
function M.tell_schemas()
    ate.schema = function()
        error('this is a schema: ate check FILE looks at it, and ate test runs '
            .. 'what stands beside it in NAME_test.lua', 2)
    end
end

return M
