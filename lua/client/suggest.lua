--- What somebody who mistyped a word may have meant.
-- @module ate.client.suggest
local ate = require('ate')

local M = {}

local NAMES_MAX = 24

--- `; did you mean "chain"?`, or nothing.
-- @tparam string word
-- @tparam table words list of texts
-- @treturn string
function M.hint(word, words)
    local nearest = ate.near(word, words)
    if nearest == nil then
        return ''
    end
    return ('; did you mean %q?'):format(nearest)
end

--- Names of what there is, sorted, for people.
-- @tparam table names
-- @tparam[opt] number most how many of them; then `...`
-- @treturn string `from, to`, or `none`
function M.list(names, most)
    if #names == 0 then
        return 'none'
    end
    local sorted = {unpack(names)}
    table.sort(sorted)
    most = math.min(most or #sorted, #sorted)
    return table.concat(sorted, ', ', 1, most)
        .. (#sorted > most and ', ...' or '')
end

--- What there is, for the end of an error: `; there are: from, to`.
-- @tparam table names
-- @tparam[opt] string more what else there is
-- @treturn string
function M.there_are(names, more)
    if #names == 0 then
        return more ~= nil and '; there are: ' .. more or '; there are none'
    end
    return '; there are: ' .. M.list(names, NAMES_MAX)
        .. (more ~= nil and ', and ' .. more or '')
end

--- A hint, or else what there is.
-- @tparam string word
-- @tparam table words
-- @treturn string `; did you mean "to"?`, or as of there_are()
function M.hint_or_list(word, words)
    local hint = M.hint(word, words)
    return hint ~= '' and hint or M.there_are(words)
end

return M
