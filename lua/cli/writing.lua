--- Files that one command makes: each is seen whole or not at all, and when
-- one can not be written, all that was made is taken away again.
-- @module ate.cli.writing
local ate = require('ate')

local M = {}
local Writing = {}
Writing.__index = Writing

--- Begin.
-- @tparam string what the command, for errors
function M.new(what)
    return setmetatable({what = what, made = {}}, Writing)
end

local function failed(self, problem, code)
    if problem:match(': No space left on device$') then
        code = 'FULL'
    end
    return nil, ate.error(code, ('%s: %s'):format(self.what, problem),
        'not_written')
end

local function note_missing(made, path)
    local above = path:match('^(.*[^/])/+[^/]+/*$')
    if ate.host.kind(path) ~= nil then
        return
    end
    if above ~= nil then
        note_missing(made, above)
    end
    made[#made + 1] = path
end

--- Make a folder, and those above it.
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] table err DENIED, FULL
function Writing:folder(path)
    note_missing(self.made, path)
    local ok, problem = ate.host.make_folder(path)
    if not ok then
        return failed(self, problem, 'DENIED')
    end
    return true
end

--- What the system says of text that is in no file yet is said at its end.
local function write(path, text)
    local file, problem = io.open(path, 'wb')
    if file == nil then
        return nil, problem, 'DENIED'
    end
    local ok, wrong = file:write(text)
    local closed, closing_wrong = file:close()
    if ok and closed then
        return true
    end
    return nil, ('%s: %s'):format(path, wrong or closing_wrong
        or 'not written'), 'IO'
end

--- Write a file, in place of one that is there.
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] table err DENIED, FULL, IO
function Writing:file(path, text)
    local is_new = ate.host.kind(path) == nil
    local half = path .. '.tmp'
    local ok, problem, code = write(half, text)
    if ok then
        ok, problem = os.rename(half, path)
    end
    if not ok then
        os.remove(half)
        return failed(self, (problem:gsub('%.tmp: ', ': ', 1)), code or 'IO')
    end
    if is_new then
        self.made[#self.made + 1] = path
    end
    return true
end

--- Take away what was made; a folder stays that has something else in it.
function Writing:undo()
    for i = #self.made, 1, -1 do
        os.remove(self.made[i])
    end
    self.made = {}
end

return M
