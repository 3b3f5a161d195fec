--- Words as a shell takes them.
-- @module ate.client.shell
local M = {}

--- A word that means itself: in quotes unless it is plain.
-- @tparam string word
-- @treturn string
function M.quoted(word)
    if word:find('[^%w_./:=@-]') or word == '' then
        return "'" .. word:gsub("'", "'\\''") .. "'"
    end
    return word
end

return M
