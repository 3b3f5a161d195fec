--- A data folder as an object, for scripts: `ate.open{...}`.
-- @module ate.client.folder
local ate = require('ate')
local bundles = require('ate.client.bundles')
local chain = require('ate.client.chain')
local data = require('ate.client.data')
local problem = require('ate.client.problem')
local session = require('ate.client.session')

local M = {}
local Folder = {}
Folder.__index = Folder

local OPTIONS = {data = 'string', read_only = 'boolean', create = 'boolean',
    memory = 'boolean', as = 'string', deadline_ms = 'number'}

local function check(options)
    for name, value in pairs(options) do
        local kind = OPTIONS[name]
        if kind == nil then
            error(('ate.open has no option %q'):format(tostring(name)), 3)
        end
        if type(value) ~= kind then
            error(('ate.open: %s is a %s, not a %s'):format(name, kind,
                type(value)), 3)
        end
    end
end

--- Open a data folder: through the process that serves it, if one does, else
-- by itself.
-- @tparam[opt] table options data (else $ATE_DATA, else ~/.local/share/ate),
-- read_only, create, memory (none: all in memory); as (who signs) and
-- deadline_ms are those of each call that does not say otherwise; opening has
-- the deadline, too
-- @treturn[1] table folder
-- @treturn[2] nil
-- @treturn[2] table err
function M.open(options)
    if type(options) == 'string' then
        options = {data = options}
    end
    options = options or {}
    check(options)
    local path = not options.memory and data.folder(options.data) or nil
    if path ~= nil and not options.create and ate.host.kind(path) == nil then
        return nil, ate.error('NOT_FOUND', ('no data folder at %s; create = '
            .. 'true makes one'):format(path))
    end
    if path ~= nil and not options.create and data.kind(path) == 'foreign' then
        return nil, ate.error('NOT_FOUND', ('%s; create = true makes it one')
            :format(data.why_foreign(path)))
    end
    local opened, err = session.open(path, {read_only = options.read_only,
        create = options.create, memory = options.memory,
        wait_ms = options.deadline_ms})
    if opened == nil then
        return nil, err
    end
    local self = setmetatable({session = opened, path = path,
        options = {as = options.as, deadline_ms = options.deadline_ms}},
        Folder)
    M.opened[self] = true
    return self
end

--- Those that are open.
M.opened = setmetatable({}, {__mode = 'k'})

--- Close all that are open.
function M.close_all()
    local list = {}
    for folder in pairs(M.opened) do
        list[#list + 1] = folder
    end
    for _, folder in ipairs(list) do
        folder:close()
    end
end

--- A chain by its name; whether it is there shows when it is used.
function Folder:chain(name)
    return chain.new(self, name)
end

--- What chains there are: a list of {name, id, ...}.
function Folder:chains()
    return self:call('chain.ls')
end

--- Call a method of the node: `key.new`, `chain.create`, ...
function Folder:call(method, args, options)
    options = options or {}
    local value, err = self.session:call(nil, method, args,
        {as = options.as or self.options.as,
            deadline_ms = options.deadline_ms or self.options.deadline_ms})
    if value == nil then
        return nil, problem.say(err)
    end
    return value
end

--- Make a chain from a schema's file.
-- @tparam string name
-- @tparam string schema path of its file
-- @tparam[opt] table options accept: names of the stages that accept
-- @treturn[1] table chain
-- @treturn[2] nil
-- @treturn[2] table err
function Folder:create(name, schema, options)
    local bundle, err = bundles.load(schema)
    if bundle == nil then
        return nil, err
    end
    local accept = options ~= nil and options.accept or nil
    local made
    made, err = self:call('chain.create', {name = name,
        bundle = ate.bin(bundle), accept = accept and ate.list(accept)})
    if made == nil then
        return nil, err
    end
    return self:chain(name)
end

--- Run a function as a task: where it waits for an answer, others go on.
-- @treturn table task, for wait()
function Folder:spawn(run, ...)
    return self.session:spawn(run, ...)
end

--- Wait until a task, or all of them, came to an end. What one raised is raised
-- here.
function Folder:wait(task)
    return self.session:join(task)
end

--- For loops of others: readable while there is something to do for step().
function Folder:fd()
    return self.session.port:fd()
end

--- Take what came and let tasks go on.
-- @tparam[opt] number timeout_ms to wait for it; 0 when not given
-- @treturn boolean whether something came
function Folder:step(timeout_ms)
    local came = self.session:step(timeout_ms or 0)
    if next(self.session.tasks) == nil then -- tasks hear of a signal by theirs
        self.session:tell()
    end
    return came
end

function Folder:is_remote()
    return self.session:is_remote()
end

--- Serve the folder to other processes until it is closed.
function Folder:listen()
    return self.session:listen()
end

--- Close it; twice is harmless. Writes under way are waited for, what is being
-- read ends.
function Folder:close()
    M.opened[self] = nil
    self.session:close()
end

function Folder:__tostring()
    return 'data folder ' .. (self.path or 'in memory')
end

return M
