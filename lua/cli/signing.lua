--- Who signs a call: options that commands share.
-- @module ate.cli.signing
local M = {}

M.as = {name = 'as', value = 'KEY', doc = 'The key that signs; else me.'}

M.options = {
    M.as,
    {name = 'for', value = 'WHO',
        doc = 'Act for somebody who has granted it (act_for).'},
    {name = 'with', value = 'KEY', list = true,
        doc = 'A key that signs, too, as an author; may be repeated.'},
    {name = 'root', value = 'KEY', list = true,
        doc = 'A root key that signs, too; may be repeated.'},
    {name = 'propose', doc = 'Write nothing: print a proposal, for keys of '
        .. '--with and --root\nthat are elsewhere; see ate proposal.'},
}

--- Options and more of a command, as one list.
function M.and_more(more)
    local list = {unpack(M.options)}
    for _, option in ipairs(more) do
        list[#list + 1] = option
    end
    return list
end

--- What a session's calls take.
-- @tparam table options
-- @treturn table {as, act_for, with, roots}
function M.of(options)
    return {as = options.as, act_for = options['for'], with = options.with,
        roots = options.root, propose = options.propose}
end

return M
