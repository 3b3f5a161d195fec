--- What somebody can do about an error, as a clause behind its text.
-- @module ate.client.advice
local shell = require('ate.client.shell')

local M = {}

local READING = 'what only reads can be used meanwhile: get, list, view, '
    .. 'history, chain info, tail and verify'
local A_COPY = 'put the folder of the chain back from a copy; ate chain '
    .. 'verify --path DIR says whether one is good'

local ALARM = 'that says nothing of the log, which may be good: %s; what '
    .. 'stands before it can be read'

local TOO_LONG = 'that is this schema\'s function, which has to do less or to '
    .. 'end: it is not put in force, and what was in force stays'

-- A log that is tried under another schema: one of its functions ran out. When
-- the log is opened the same words are about a schema that was put in force.
local TRIED = 'bundle: transaction %d+: .*a replay may use %d+ times'

-- {code, pattern, advice}: the first whose pattern is in the text; %s in an
-- advice is the name of the chain.
local KNOWN = {
    {'CORRUPT', '/cur is missing', A_COPY},
    {'CORRUPT', '/cur: ', A_COPY},
    {'CORRUPT', 'neither of its watermarks is good', A_COPY},
    {'CORRUPT', 'no slot is good', A_COPY},
    {'CORRUPT', '/1%.head is missing', A_COPY},
    {'CORRUPT', 'read at offset 0: No such file', A_COPY},
    {'CORRUPT', 'what stands before it can be read',
        'ate chain tail %s shows the end of that'},
    {'NOT_FOUND', '%x%x/%x+: there is no chain', A_COPY},
    {'INVALID', 'keys/[^:/]+: not a key file', 'put it back from a copy'},
    {'FULL', '^new: ', 'make room and try again'},
    {'FULL', '^check: ', 'make room and try again'},
    {'FULL', ': publish: ', 'make room and try again'},
    {'FULL', '', 'make room and try again: what was answered is kept'},
    {'DENIED', '/lock: opening: Permission denied',
        'who owns the folder can write there; ' .. READING},
    {'DENIED', 'Read%-only file system', READING},
    {'DENIED', '^new: ', 'name a folder where you may write'},
    {'DENIED', 'no delegation gives its author the right',
        'who has that right gives it with ate grant'},
    {'DENIED', 'mak[^:]*folder.*: Permission denied',
        '--data DIR or ATE_DATA names another place'},
    {'DENIED', 'opening the folder: Permission denied',
        'who owns it can read it; --data DIR or ATE_DATA names another'},
    {'DENIED', '%x%x/%x+/.*: Permission denied',
        'who owns the folder can read it'},
    {'UNAVAILABLE', 'plan: ' .. TRIED, TOO_LONG},
    {'UNAVAILABLE', ' schema: ' .. TRIED, TOO_LONG},
    {'UNAVAILABLE', 'a replay may use %d+ times', ALARM:format('open it with '
        .. 'the version of ate that wrote it, or report it as a mistake of '
        .. 'this one')},
    {'UNAVAILABLE', 'an alarm of this node', ALARM:format('try again when '
        .. 'the machine has less to do')},
    {'UNAVAILABLE', "does not hold the chain's order key", 'write where it '
        .. 'is, or put keys/node.key back from a copy'},
    {'UNAVAILABLE', 'another process is writing there', READING},
}

--- Advice for an error of the engine.
-- @tparam table err code, text
-- @treturn[1] string
-- @treturn[2] nil when there is none
function M.of(err)
    for _, known in ipairs(KNOWN) do
        if err.code == known[1] and err.text:find(known[2]) then
            local chain = err.text:match('chain (.-): %x%x/%x+/')
            if not known[3]:find('%%s') then
                return known[3]
            end
            return chain ~= nil and known[3]:format(shell.quoted(chain)) or nil
        end
    end
    return nil
end

--- The text of an error with its advice.
-- @tparam table err
-- @treturn string
function M.text(err)
    local text = err.text:gsub(': stop it, or open the folder to read only', '')
    local advice = M.of(err)
    if advice == TOO_LONG then
        text = text:gsub('; a replay may use .*', '')
    end
    return advice ~= nil and text .. '; ' .. advice or text
end

return M
