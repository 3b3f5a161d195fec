--- What was typed before, kept between sessions without duplicates.
--
-- The file has one entry a line; a line feed in an entry is `\n`, a backslash
-- is doubled.
-- @module ate.repl.history
local ate = require('ate')

local M = {}
local History = {}
History.__index = History

local ENTRIES_MAX = 2000

local function escape(entry)
    return (entry:gsub('\\', '\\\\'):gsub('\n', '\\n'))
end

local function unescape(line)
    return (line:gsub('\\(.)', function(c)
        return c == 'n' and '\n' or c
    end))
end
M.escape, M.unescape = escape, unescape

--- $XDG_STATE_HOME/ate/history, else ~/.local/state/ate/history.
function M.path()
    local state = os.getenv('XDG_STATE_HOME')
    if state == nil or state == '' then
        state = (os.getenv('HOME') or '.') .. '/.local/state'
    end
    return state .. '/ate/history'
end

--- Drop earlier copies of entries and what is too old.
-- @tparam table entries
-- @treturn table
function M.unique(entries)
    local seen, kept = {}, {}
    for i = #entries, 1, -1 do
        if not seen[entries[i]] and #kept < ENTRIES_MAX then
            seen[entries[i]] = true
            table.insert(kept, 1, entries[i])
        end
    end
    return kept
end

--- Load the history and hand it to an editor.
-- @tparam string path
-- @tparam table editor
-- @treturn table history
function M.open(path, editor)
    local entries = {}
    local file = io.open(path, 'r')
    if file ~= nil then
        ate.host.make_private(path) -- earlier versions did not
        for line in file:lines() do
            entries[#entries + 1] = unescape(line)
        end
        file:close()
    end
    local self = setmetatable({path = path, editor = editor,
        entries = M.unique(entries)}, History)
    if #self.entries < #entries then
        self:save()
    end
    self:show()
    return self
end

function History:show()
    self.editor:forget()
    for _, entry in ipairs(self.entries) do
        self.editor:remember((entry:gsub('\n', ' ')))
    end
end

--- Open a file that nobody else can read; nil when that can not be: a history
-- that is not kept stops nobody.
local function open_private(path, mode)
    ate.host.make_folder(path:match('^(.*)/'))
    return ate.host.make_private(path) and io.open(path, mode)
end

function History:save()
    local file = open_private(self.path .. '.tmp', 'w')
    if not file then
        return
    end
    for _, entry in ipairs(self.entries) do
        file:write(escape(entry), '\n')
    end
    if file:close() then
        os.rename(self.path .. '.tmp', self.path)
    end
end

--- Add what was typed.
-- @tparam string entry
function History:add(entry)
    if not entry:find('%S') then
        return
    end
    local count = #self.entries
    self.entries[count + 1] = entry
    self.entries = M.unique(self.entries)
    if #self.entries == count + 1 then
        self.editor:remember((entry:gsub('\n', ' ')))
        local file = open_private(self.path, 'a')
        if file then
            file:write(escape(entry), '\n')
            file:close()
        end
        return
    end
    self:show()
    self:save()
end

return M
