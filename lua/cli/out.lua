--- Where a command prints: data to stdout, talk to stderr.
-- @module ate.cli.out
local ate = require('ate')
local advice = require('ate.client.advice')

local WAITING_MS = 1000 -- that nobody is told of

local M = {}
local Out = {}
Out.__index = Out

--- The option that commands with rows have.
M.option = {name = 'output', short = 'o', value = 'FORMAT',
    choices = {'table', 'csv', 'json'},
    doc = 'How to print rows: table, csv or json. A terminal\'s tables are '
        .. 'cut to its width, the others are whole.'}

local function has_color(fd)
    local function is_set(name)
        local value = os.getenv(name)
        return value ~= nil and value ~= ''
    end
    return ate.host.is_terminal(fd) and not is_set('NO_COLOR')
        and os.getenv('TERM') ~= 'dumb'
end

--- Make one.
-- @tparam[opt] table options json
-- @treturn table
function M.new(options)
    return setmetatable({
        is_json = options ~= nil and options.json or false,
        color = has_color(1),
        talk_color = has_color(2),
        progress_shown = false,
        warned = {},
    }, Out)
end

--- Collect what is written meanwhile, instead of writing it.
-- @tparam function run
-- @treturn boolean, or what it raised: as of pcall()
-- @treturn string what was written
function Out:collect(run)
    local before = self.collected
    self.collected = {}
    local ok, raised = pcall(run)
    local text = table.concat(self.collected)
    self.collected = before
    return ok, text, raised
end

--- Write data as it is.
function Out:write(text)
    self:clear_progress()
    if self.collected ~= nil then
        self.collected[#self.collected + 1] = text
        return
    end
    io.stdout:write(text)
end

--- Write a line of data, made harmless for a terminal.
function Out:line(text)
    self:write(ate.text.printable(text, '\t') .. '\n')
end

--- Write a document of JSON; indented when people read it.
function Out:json(value)
    self:write(assert(ate.json.encode(value, self.color and 2 or 0)) .. '\n')
end

--- Write JSON on one line.
function Out:json_line(value)
    self:write(assert(ate.json.encode(value)) .. '\n')
end

--- Make a text bold when stdout can show it.
function Out:bold(text)
    return self.color and '\27[1m' .. text .. '\27[0m' or text
end

function Out:dim(text)
    return self.color and '\27[2m' .. text .. '\27[0m' or text
end

--- The same as a function, for those who style for others.
function Out:bolder()
    return function(text)
        return self:bold(text)
    end
end

--- How many columns stdout has, when it is a terminal.
function Out:columns()
    return ate.host.columns(1)
end

--- Say something to the person, beside the data.
function Out:talk(text)
    self:clear_progress()
    io.stdout:flush()
    io.stderr:write(ate.text.printable(text, '\n\t'), '\n')
end

--- The engine names its own methods; people type commands.
local function as_commands(text)
    return (text:gsub('^(%l+)%.(%l+): ', function(noun, verb)
        return (noun == 'chain' or noun == 'key')
            and ('%s %s: '):format(noun, verb) or nil
    end))
end

--- For JSON, where bytes would be shown in hexadecimal, all of them.
local function as_text(text)
    return ate.text.valid(text) and text or ate.text.printable(text, '\n\t')
end

--- Say what went wrong.
-- @tparam table err
function Out:error(err)
    self:clear_progress()
    io.stdout:flush()
    if self.is_json then
        local text = as_commands(as_text(err.text))
        local shown = {code = err.code, rule = err.rule, reason = err.reason,
            at = err.at, text = text, exit = err.exit, line = err.line,
            advice = advice.of(err)}
        io.stderr:write(ate.json.encode({error = shown}), '\n')
        return
    end
    local mark = self.talk_color and '\27[31mate:\27[0m ' or 'ate: '
    local text = as_commands(advice.text(err))
    io.stderr:write(mark, ate.text.printable(text, '\n\t'), '\n')
end

--- Warn of something. In JSON it is not said, but kept for the answer.
function Out:warn(text)
    if self.is_json then
        self.warned[#self.warned + 1] = as_text(text)
        return
    end
    local mark = self.talk_color and '\27[33mwarning:\27[0m ' or 'warning: '
    self:clear_progress()
    io.stderr:write(mark, ate.text.printable(text, '\n\t'), '\n')
end

--- What was warned of in JSON, for `warnings` of its answer.
-- @treturn table a list of texts, perhaps empty
function Out:warnings()
    return ate.list(self.warned)
end

--- Put a line in place of the last one of progress, on a terminal only, and
-- not more often than an eye sees.
function Out:show_progress(text)
    if not ate.host.is_terminal(2) or self.is_json then
        return
    end
    local now = ate.host.clock()
    if self.progress_at ~= nil and now - self.progress_at < 100 then
        return
    end
    self.progress_at, self.progress_shown = now, true
    io.stderr:write('\r', ate.text.printable(text), '\27[K')
    io.stderr:flush()
end

--- Show how far something is.
-- @tparam string what
-- @tparam number done
-- @tparam number total 0 when unknown
function Out:progress(what, done, total)
    local text = what
    if total > 0 then
        local width = 24
        local part = math.min(done / total, 1)
        local full = math.floor(width * part)
        text = ('%s [%s%s] %d %%'):format(what, ('#'):rep(full),
            (' '):rep(width - full), math.floor(100 * part))
    end
    self:show_progress(text)
end

--- Show that something takes time, of which nobody knows how much.
-- @tparam string what
-- @tparam number ms since it began
function Out:waiting(what, ms)
    if ms >= WAITING_MS then
        self:show_progress(('%s ... %d s'):format(what, math.floor(ms / 1000)))
    end
end

--- Take the progress line away.
function Out:clear_progress()
    if self.progress_shown then
        self.progress_shown = false
        io.stderr:write('\r\27[K')
    end
end

return M
