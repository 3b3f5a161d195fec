--- A text in the user's own editor: \e of the REPL.
-- @module ate.repl.editor
local ate = require('ate')
local shell = require('ate.client.shell')

local M = {}

local function write(path, text)
    if not ate.host.make_private(path) then
        return false
    end
    local file = io.open(path, 'w')
    return file ~= nil and file:write(text, '\n') and file:close()
end

local function read(path)
    local file = io.open(path, 'r')
    if file == nil then
        return nil
    end
    local text = file:read('*a')
    file:close()
    return (text:gsub('%s+$', ''))
end

--- Let the user change a text.
-- @tparam string folder for the file, which is removed
-- @tparam string text
-- @treturn[1] string
-- @treturn[2] nil
-- @treturn[2] table err
function M.edit(folder, text)
    local path = folder .. '/edit.lua'
    local command = os.getenv('VISUAL') or os.getenv('EDITOR') or 'vi'
    ate.host.make_folder(folder)
    if not write(path, text) then
        return nil, ate.error('IO', path .. ': can not be written')
    end
    io.stdout:flush()
    ate.host.deafen(true)
    local status = os.execute(command .. ' ' .. shell.quoted(path))
    ate.host.deafen(false)
    local changed = read(path)
    os.remove(path)
    if status ~= 0 and status ~= true then
        return nil, ate.error('INVALID', ('%s ended with an error; nothing is '
            .. 'run'):format(command))
    end
    if changed == nil then
        return nil, ate.error('IO', path .. ': can not be read')
    end
    return changed
end

return M
