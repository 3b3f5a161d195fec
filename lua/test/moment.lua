--- Times and spans as tests write them.
-- @module ate.test.moment
local M = {}

local UNITS = {
    ms = 1, second = 1e3, minute = 60e3, hour = 3600e3, day = 86400e3,
    week = 7 * 86400e3, s = 1e3, min = 60e3, h = 3600e3, d = 86400e3,
}

--- Milliseconds of a span such as `2 days` or `1 hour 30 minutes`.
-- @tparam string|number span a number counts milliseconds
-- @treturn[1] number
-- @treturn[2] nil when it is none
function M.span(span)
    if type(span) == 'number' then
        return span >= 0 and span or nil
    end
    if type(span) ~= 'string' then
        return nil
    end
    local total, found = 0, false
    local rest = span:gsub('(%d+%.?%d*)%s*(%a+)%s*', function(count, unit)
        local ms = UNITS[unit] or UNITS[unit:gsub('s$', '')]
        if ms == nil then
            return nil
        end
        total, found = total + tonumber(count) * ms, true
        return ''
    end)
    if not found or rest:find('%S') then
        return nil
    end
    return total
end

--- Days since 1970 of a date, by the Gregorian calendar.
local function days(year, month, day)
    if month <= 2 then
        year, month = year - 1, month + 12
    end
    local era = math.floor(year / 400)
    local of_era = year - era * 400
    local of_year = math.floor((153 * (month - 3) + 2) / 5) + day - 1
    local count = of_era * 365 + math.floor(of_era / 4)
        - math.floor(of_era / 100) + of_year
    return era * 146097 + count - 719468
end

--- Milliseconds since 1970 of `2026-01-31` or `2026-01-31T10:00:00Z`.
-- @tparam string text
-- @treturn[1] number
-- @treturn[2] nil when it is none
function M.time(text)
    local y, m, d, rest =
        tostring(text):match('^(%d%d%d%d)%-(%d%d)%-(%d%d)(.*)$')
    if y == nil then
        return nil
    end
    local ms = days(tonumber(y), tonumber(m), tonumber(d)) * UNITS.day
    if rest == '' then
        return ms
    end
    local hour, minute, second = rest:match('^T(%d%d):(%d%d):?(%d*%.?%d*)Z$')
    if hour == nil then
        return nil
    end
    return ms + tonumber(hour) * UNITS.hour + tonumber(minute) * UNITS.minute
        + math.floor((tonumber(second) or 0) * 1000 + 0.5)
end

--- The text of a time.
-- @tparam number ms
-- @treturn string
function M.text(ms)
    local seconds = math.floor(ms / 1000)
    return os.date('!%Y-%m-%dT%H:%M:%S', seconds)
        .. ('.%03dZ'):format(ms - seconds * 1000)
end

return M
