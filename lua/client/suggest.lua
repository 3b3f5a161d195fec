--- What somebody who mistyped a word may have meant.
-- @module ate.client.suggest
local M = {}

local NAMES_MAX = 24

--- How many letters have to be changed, added, dropped or swapped.
-- @tparam string a
-- @tparam string b
-- @treturn integer
function M.distance(a, b)
    local before, above = {}, {}
    for j = 0, #b do
        above[j] = j
    end
    for i = 1, #a do
        local row = {[0] = i}
        for j = 1, #b do
            local same = a:byte(i) == b:byte(j)
            local best = math.min(above[j] + 1, row[j - 1] + 1,
                above[j - 1] + (same and 0 or 1))
            if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1)
                and a:byte(i - 1) == b:byte(j) then
                best = math.min(best, before[j - 2] + 1)
            end
            row[j] = best
        end
        before, above = above, row
    end
    return #a == 0 and #b or above[#b]
end

--- The nearest of `words`, when one is near enough to be meant.
-- @tparam string word
-- @tparam table words list of texts
-- @treturn[1] string
-- @treturn[2] nil
function M.nearest(word, words)
    local best, best_distance
    for _, candidate in ipairs(words) do
        local distance = M.distance(word:lower(), candidate:lower())
        if candidate:byte() ~= word:byte() then
            distance = distance + 0.5 -- the first letter is rarely wrong
        end
        if best == nil or distance < best_distance then
            best, best_distance = candidate, distance
        end
    end
    local near = math.max(1, math.floor(#word / 3)) + 0.5
    if best ~= nil and best_distance <= near then
        return best
    end
    return nil
end

--- `, did you mean "chain"?`, or nothing.
-- @tparam string word
-- @tparam table words
-- @treturn string
function M.hint(word, words)
    local nearest = M.nearest(word, words)
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
