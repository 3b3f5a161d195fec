--- What somebody who mistyped a word may have meant.
-- @module ate.client.suggest
local M = {}

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

--- The same, or all there are: `; there are: from, to`.
-- @tparam string word
-- @tparam table words
-- @treturn string
function M.hint_or_list(word, words)
    local hint = M.hint(word, words)
    if hint ~= '' then
        return hint
    end
    if #words == 0 then
        return '; there are none'
    end
    local sorted = {unpack(words)}
    table.sort(sorted)
    return '; there are: ' .. table.concat(sorted, ', ')
end

return M
