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

-- By code and reason: an advice, or a function of the error that gives one.
local ADVICE = {
    ['CORRUPT chain_lost'] = A_COPY,
    ['NOT_FOUND chain_lost'] = A_COPY,
    ['CORRUPT log_damaged'] = function(err)
        return err.chain and ('ate chain tail %s shows the end of that')
            :format(shell.quoted(err.chain))
    end,
    ['INVALID bad_key_file'] = 'put it back from a copy',
    ['FULL '] = 'make room and try again: what was answered is kept',
    ['FULL not_written'] = 'make room and try again',
    ['DENIED not_written'] = 'name a folder where you may write',
    ['DENIED read_only_disk'] = READING,
    ['DENIED no_write_access'] = 'who owns the folder can write there; '
        .. READING,
    ['DENIED no_folder_access'] = '--data DIR or ATE_DATA names another place',
    ['DENIED no_read_access'] = 'who owns it can read it; --data DIR or '
        .. 'ATE_DATA names another',
    ['DENIED no_file_access'] = 'who owns the folder can read it',
    ['DENIED no_right'] = function(err)
        return ('who has that right gives it: ate grant %s OBJECT RIGHT --to '
            .. 'WHO'):format(err.chain and shell.quoted(err.chain) or 'NAME')
    end,
    -- Under a schema that is tried on the log, and under the one in force.
    ['UNAVAILABLE schema_limit'] = 'that is this schema\'s function, which '
        .. 'has to do less or to end: it is not put in force, and what was in '
        .. 'force stays',
    ['UNAVAILABLE replay_limit'] = ALARM:format('open it with the version of '
        .. 'ate that wrote it, or report it as a mistake of this one'),
    ['UNAVAILABLE alarm'] = ALARM:format('try again when the machine has less '
        .. 'to do'),
    ['UNAVAILABLE no_order_key'] = 'write where it is, or put keys/node.key '
        .. 'back from a copy',
    ['UNAVAILABLE folder_busy'] = READING,
    ['INVALID other_version'] = 'end the process that serves the folder, and '
        .. 'start it with this version of ate',
    ['NOT_FOUND no_chain'] = 'ate chain ls lists those there are',
    ['NOT_FOUND no_file'] = 'the read \'files\' lists them',
    ['NOT_FOUND no_key'] = 'make one with ate key new, or give key:<hex>',
    ['NOT_FOUND no_own_key'] = 'ate key new makes one',
    ['NOT_FOUND no_key_me'] = 'or make it with ate key new me',
    ['NOT_FOUND no_public_key'] = 'ate key add takes it in',
}

--- Advice for an error of the engine.
-- @tparam table err code, reason, chain: its name where that is known
-- @treturn[1] string
-- @treturn[2] nil when there is none
function M.of(err)
    local advice = ADVICE[('%s %s'):format(err.code, err.reason or '')]
    if type(advice) == 'function' then
        return advice(err)
    end
    return advice
end

--- The text of an error with its advice.
-- @tparam table err
-- @treturn string
function M.text(err)
    local advice = M.of(err)
    return advice ~= nil and err.text .. '; ' .. advice or err.text
end

return M
