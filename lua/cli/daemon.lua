--- What `ate serve` does between its start and its end.
-- @module ate.cli.daemon
local ate = require('ate')
local config = require('ate.client.config')
local growing = require('ate.client.growing')
local manager = require('ate.manager')
local mounting = require('ate.cli.mounting')
local new_log = require('ate.cli.log').new
local settings_of = require('ate.cli.settings').read
local doors_of = require('ate.cli.settings').doors
local check_doors = require('ate.cli.settings').check_doors

local M = {}
local Daemon = {}
Daemon.__index = Daemon

local COUNTER = 8 -- bytes of an eventfd
local LEVELS = {damaged = 'error', failed = 'warning', opened = 'info',
    parked = 'warning', refused = 'warning', time_ahead = 'warning'}

-- ---- doors ----

--- Of these all doors are made anew when one changed.
local OF_DOORS = {'rest', 'metrics', 'key', 'cors', 'plain'}

--- Keep where REST is, for ate console; '': nowhere. Whoever serves the folder
-- alone writes it, so it is true while the folder is served.
local function keep_address(self, url)
    local path = self.folder .. '/rest'
    local file = url ~= '' and io.open(path, 'wb')
    if file then
        file:write(url, '\n')
        file:close()
    else
        os.remove(path)
    end
end

local function open_doors(self, settings)
    keep_address(self, '')
    if settings.rest == nil and settings.metrics == nil then
        return true
    end
    local ok, err = check_doors(self.folder, settings)
    if not ok then
        return nil, err
    end
    self.doors, err = require('ate.rest').start(self.session.node,
        doors_of(self.folder, settings))
    if self.doors == nil then
        return nil, err
    end
    keep_address(self, (self.doors:where()))
    return true
end

local function close_doors(self)
    if self.doors ~= nil then
        keep_address(self, '')
        self.doors:stop()
        self.doors = nil
    end
end

--- Certificates are renewed in place; for what else changed, the doors close,
-- which ends what is under way in them, and open again.
local function change_doors(self, settings)
    local before = self.settings
    local same = (before.cert == nil) == (settings.cert == nil)
    for _, name in ipairs(OF_DOORS) do
        same = same and (before[name] == settings[name] or name == 'key')
    end
    local limits = doors_of(self.folder, settings).limits
    for name, limit in pairs(doors_of(self.folder, before).limits) do
        same = same and limits[name] == limit
    end
    if same and self.doors ~= nil and settings.cert ~= nil
        and settings.rest ~= nil then
        return self.doors:renew(settings.cert, settings.key)
    elseif same then
        return true
    end
    if type(before.rest) == 'number' or type(before.metrics) == 'number' then
        return nil, ate.error('INVALID', 'sockets that were handed over stay '
            .. 'as they are until a restart')
    end
    local ok, err = check_doors(self.folder, settings)
    if not ok then
        return nil, err -- what cannot open closes nothing
    end
    close_doors(self)
    ok, err = open_doors(self, settings)
    if not ok then
        open_doors(self, before)
        return nil, err
    end
    return true
end

-- ---- schemas ----

--- Put schemas in force that changed; one that does not fit is told, and the
-- one in force stays.
local function grow_all(self, schemas)
    local failed = false
    for _, item in ipairs(schemas) do
        local plan, err = growing.grow(self.session, item.chain, item.path)
        if plan == nil then
            failed = true
            self:trouble('schema_refused', err, {chain = item.chain,
                file = item.path})
        elseif not plan.same then
            self.log:say('info', 'schema', {chain = item.chain,
                changes = table.concat(plan.changes, '; '),
                file = item.path, refused = plan.refused})
        end
    end
    return not failed
end

-- ---- telling ----

--- Tell the service manager; that it does not listen stops nobody.
function Daemon:notify(text)
    local told, problem = manager.notify(text)
    if told == nil then
        self.log:say('warning', 'notify', {text = problem})
    end
end

--- What went wrong, and does not end it.
function Daemon:trouble(event, err, fields)
    if self.log.format == nil then
        self.out:warn('serve: ' .. (fields and fields.chain
            and fields.chain .. ': ' or '') .. err.text)
    end
    self.log:fail(event, err, fields)
end

local function tell_events(self)
    while true do
        local answer = self.events:next(0)
        if answer == nil then
            return
        end
        local event = answer.value
        local name = event.event
        event.event = nil
        self.log:say(LEVELS[name] or 'info', name, event)
    end
end

-- ---- life ----

--- Sockets that the service manager handed over, by what they are for.
local function handed_over()
    local found = {}
    for _, socket in ipairs(manager.sockets()) do
        local use = socket.unix and 'socket'
            or socket.name:match('metrics') and 'metrics' or 'rest'
        if found[use] ~= nil then
            return nil, ate.error('INVALID', ('serve: two sockets for %s were '
                .. 'handed over'):format(use))
        end
        found[use] = socket.fd
    end
    return found
end

--- Make one, and read what it is to do.
-- @tparam table out
-- @tparam string folder
-- @tparam table options of the command line
-- @treturn[1] table daemon
-- @treturn[2] nil
-- @treturn[2] table err
function M.new(out, folder, options)
    local sockets, err = handed_over()
    if sockets == nil then
        return nil, err
    end
    local settings
    settings, err = settings_of(folder, options, sockets)
    if settings == nil then
        return nil, err
    end
    return setmetatable({out = out, folder = folder, options = options,
        sockets = sockets, settings = settings, log = new_log(settings.log),
        has_terminal = ate.host.is_terminal(0),
        hangups = manager.hangups()}, Daemon)
end

local function mount(self)
    if self.settings.mount == nil then
        return true
    end
    local err
    self.mount, err = mounting.start(self.session, self.settings.mount,
        {as = self.settings.as})
    if self.mount == nil then
        return nil, err
    end
    return true
end

--- Let others in.
-- @tparam table session open for writing
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] table err
function Daemon:open(session)
    self.session = session
    self.events = ate.port()
    local ok, err = session.node:watch(self.events)
    if ok then
        ok, err = config.apply_http(session, self.settings.config)
    end
    if ok then
        ok, err = session.node:callers(self.settings.limits.socket_callers)
    end
    if ok then
        ok, err = session.node:listen(self.sockets.socket)
    end
    if ok then
        grow_all(self, self.settings.schemas)
        ok, err = open_doors(self, self.settings)
    end
    if ok then
        ok, err = mount(self)
    end
    return ok, err
end

--- Where the doors are.
-- @treturn string URL of REST, or ''
-- @treturn string of the metrics
function Daemon:where()
    if self.doors == nil then
        return '', ''
    end
    return self.doors:where()
end

--- Read the configuration again. What is wrong in it changes nothing.
function Daemon:reload()
    self:notify('RELOADING=1')
    local settings, err = settings_of(self.folder, self.options, self.sockets)
    local ok
    if settings ~= nil then
        ok, err = config.apply_http(self.session, settings.config,
            self.settings.config.http ~= nil)
    end
    if ok then
        ok, err = change_doors(self, settings)
    end
    if ok then
        ok, err = self.session.node:callers(settings.limits.socket_callers)
    end
    if ok then
        if settings.mount ~= self.settings.mount
            or settings.as ~= self.settings.as then
            self.log:say('warning', 'reload', {text = 'another mount takes a '
                .. 'restart'})
            settings.mount, settings.as = self.settings.mount, self.settings.as
        end
        self.settings = settings
        self.log.format = settings.log
        ok = grow_all(self, settings.schemas)
    else
        self:trouble('reload_refused', err)
    end
    if ok then
        self.log:say('info', 'reload', {})
    end
    self:notify('READY=1')
end

local function unmounted(self)
    local text = self.settings.mount .. ' was unmounted'
    if self.log.format == nil then
        self.out:warn('serve: ' .. text)
    end
    self.log:say('warning', 'unmounted', {text = text})
    self.mount:stop()
    self.mount = nil -- it is not put back
end

--- HUP is a wish to reload, or the end of the terminal that it was started on.
local function has_lost_terminal(self)
    return self.has_terminal and not ate.host.is_terminal(0)
end

--- Serve until the user asks to end.
function Daemon:run()
    local events = self.events:fd()
    repeat
        local fds = {self.hangups, events,
            self.mount ~= nil and self.mount:fd() or nil}
        local ready = ate.host.wait(fds, -1)
        if ready[events] then
            tell_events(self)
        end
        if self.mount ~= nil and ready[self.mount:fd()] then
            unmounted(self)
        end
        if ready[self.hangups] then
            ate.host.read(self.hangups, COUNTER)
            if has_lost_terminal(self) then
                return
            end
            self:reload()
        end
    until ate.host.interrupted() or ate.host.ending()
        or self.session.interrupted
end

--- End: what is under way is finished and answered first.
function Daemon:close()
    if self.mount ~= nil then
        self.mount:stop()
        self.mount = nil
    end
    close_doors(self)
    if self.session ~= nil then
        self.session:close() -- writes are waited for, and answered
    end
    if self.events ~= nil then
        tell_events(self)
    end
end

return M
