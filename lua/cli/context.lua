--- What a command works with: its words, where it prints, and the folder.
-- @module ate.cli.context
local ate = require('ate')
local data = require('ate.client.data')
local session = require('ate.client.session')
local shell = require('ate.client.shell')

local M = {}
local Context = {}
Context.__index = Context

--- Make one.
-- @tparam table command
-- @tparam table args
-- @tparam table options
-- @tparam table out
function M.new(command, args, options, out)
    return setmetatable({command = command, args = args, options = options,
        out = out, sessions = {}}, Context)
end

--- The data folder: --data, $ATE_DATA, or where the system keeps such things.
-- @tparam table options
-- @treturn string
function M.data_folder(options)
    return data.folder(options.data)
end

function Context:data()
    return M.data_folder(self.options)
end

local function missing_folder(path)
    return ate.error('NOT_FOUND', ('no data folder at %s; ate chain create '
        .. 'makes one, --data DIR or ATE_DATA names another'):format(path))
end

--- Say that the data folder was not there: its name may be a mistake.
function Context:say_made()
    if self.is_new_folder and not self.out.is_json then
        self.out:talk('made the data folder ' .. self:data())
    end
end

--- Keep a session until the command ends.
function Context:keep(opened)
    self.sessions[#self.sessions + 1] = opened
    opened.on_opening = function(chain, ms)
        self.out:waiting(('opening %s'):format(chain == '' and self.options.path
            or chain), ms)
    end
    return opened
end

-- A daemon that stands still is not waited for by who types Ctrl-C, and by
-- nobody for longer than this.
local WAIT_MS = 5000

local function open(path, flags, left)
    flags.wait_ms = left and left() or WAIT_MS
    ate.host.yield(true)
    local opened, err = session.open(path, flags)
    ate.host.yield(false)
    return opened, err
end

--- Write if nobody else does, else read. A daemon that says nothing (CANCELED)
-- is not asked again, for that would be to wait twice.
local function open_for_calls(path, left)
    local opened, err = open(path, {}, left)
    if opened ~= nil or err.code ~= 'UNAVAILABLE' and err.code ~= 'DENIED' then
        return opened, err
    end
    local reading, reading_err = open(path, {read_only = true}, left)
    if reading ~= nil then
        reading.writing_err = err
    end
    return reading, reading_err
end

--- Where there can be no chain nothing is written: no lock stays in a folder
-- that somebody named by mistake. Who serves it is asked.
local function may_write(path, kind)
    return kind == nil or kind == 'data'
        or kind == 'blank' and ate.host.kind(path .. '/lock') ~= nil
        or ate.host.kind(path .. '/socket') ~= nil
end

--- Open the data folder.
-- @tparam string mode `read` beside whoever writes, `write`, `create`: write,
-- and make the folder, `call`: write if nobody else does, else read
-- @tparam[opt] table more is_local: never through the process that serves it;
-- left: gives how many milliseconds are left for it (ate.cli.deadline)
-- @treturn[1] table session, closed when the command ends
-- @treturn[2] nil
-- @treturn[2] table err
function Context:open(mode, more)
    local left = more and more.left
    local path = self:data()
    if mode ~= 'create' and ate.host.kind(path) == nil then
        return nil, missing_folder(path)
    end
    if mode == 'create' then
        self.is_new_folder = ate.host.kind(path) == nil
        local above = path:gsub('/+$', ''):match('^(.+)/[^/]+$')
        if self.is_new_folder and above ~= nil then
            local ok, problem = ate.host.make_folder(above)
            if not ok then
                return nil, ate.error('DENIED', 'data folder: ' .. problem,
                    'no_folder_access')
            end
        end
    end
    local kind = data.kind(path)
    if kind == 'foreign' and not self.out.is_json then
        self.out:talk('note: ' .. data.why_foreign(path))
    end
    if (mode == 'call' or mode == 'write') and not may_write(path, kind) then
        mode = 'read'
    end
    local opened, err
    if mode == 'call' then
        opened, err = open_for_calls(path, left)
    else
        opened, err = open(path, {read_only = mode == 'read',
            create = mode == 'create', ['local'] = more and more.is_local},
            left)
    end
    if opened == nil and err.code == 'CANCELED' and left == nil then
        err = ate.error('UNAVAILABLE', err.text) -- no deadline of the user's
    end
    if opened == nil then
        return nil, err
    end
    return self:keep(opened)
end

--- Open a chain's folder that stands anywhere.
function Context:open_chain_folder(path)
    local opened, err = open(path, {folder = true, read_only = true})
    if opened == nil then
        return nil, err
    end
    return self:keep(opened)
end

--- Open to read what a command is told to: a chain by its name, or its folder
-- (--path). No chain is called as a folder is.
-- @tparam ?string name nil: there is a folder
-- @tparam ?string folder
-- @treturn[1] table session, closed at the end
-- @treturn[2] nil
-- @treturn[2] table err
function Context:open_chain(name, folder)
    if folder ~= nil then
        return self:open_chain_folder(folder)
    elseif name:find('^%.?%.?/') then
        return nil, ate.error('INVALID', ('%s is no name of a chain; a '
            .. 'chain\'s folder is named by --path %s'):format(name,
            shell.quoted(name)))
    end
    return self:open('read')
end

--- A chain that is opened as a folder has no name: say the folder.
-- @tparam table err
-- @tparam ?string folder nil: it has a name
-- @treturn table the same error
function Context:in_folder(err, folder)
    if folder ~= nil then
        err.text = err.text:gsub('^chain : ', function()
            return folder:gsub('(.)/+$', '%1') .. '/'
        end)
    end
    return err
end

--- What a signal ended, when all that is known of it is that.
-- @tparam table err
-- @treturn table the same, or one that says it
function Context:interrupted(err)
    for _, opened in ipairs(self.sessions) do
        local is_inner = opened.opening ~= nil -- a read that nobody asked for
            or err.reason == 'by_asker'
        if opened.interrupted and err.code == 'CANCELED' and is_inner then
            return ate.error('CANCELED', opened.opening == nil and 'interrupted'
                or ('interrupted while chain %s was being opened')
                    :format(opened.opening))
        end
    end
    return err
end

--- A chain that is not there may be in another folder.
-- @tparam table err
function Context:name_folder(err)
    if err.reason == 'no_chain' and #self.sessions > 0 then
        err.text = ('%s in %s'):format(err.text, self:data())
    end
end

--- Close what the command opened.
function Context:close()
    for _, opened in ipairs(self.sessions) do
        opened:close()
    end
    self.sessions = {}
end

return M
