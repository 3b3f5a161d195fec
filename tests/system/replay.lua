--- Verify a chain's folder in this process, in the locale of the environment,
-- and print what the log and the state come to.
--
--     luajit replay.lua BUILD FOLDER
assert(os.setlocale(''), 'no such locale: ' .. tostring(os.getenv('LC_ALL')))
package.cpath = arg[1] .. '/?.so;' .. package.cpath
require('ate')
local session = require('ate.client.session')

local opened = assert(session.open(arg[2], {folder = true, read_only = true}))
local report, err = opened:read('', 'verify')
opened:close()
if report == nil then
    error(err.text, 0)
end
print(report.root, report.state, os.setlocale(nil, 'numeric'))
