--- What the engine says of chains' folders, one after the other, in one
-- process: `ate chain verify --path FOLDER --no-rules`, without its start.
--
--     luajit engine.lua BUILD
--
-- Reads lines `FOLDER`; answers each with a line, `good N ROOT` or `CODE TEXT`.
package.cpath = arg[1] .. '/?.so;' .. package.cpath
require('ate')
local session = require('ate.client.session')

local function judge(folder)
    local opened, err = session.open(folder, {folder = true, read_only = true})
    if opened == nil then
        return nil, err
    end
    local report
    report, err = opened:read('', 'verify', {no_rules = true})
    opened:close()
    return report, err
end

for folder in io.lines() do
    local report, err = judge(folder)
    if report ~= nil then
        print(('good %s %s'):format(tostring(report.transactions), report.root))
    else
        print(('%s %s'):format(err.code, (err.text:gsub('%s+', ' '))))
    end
    io.flush()
end
