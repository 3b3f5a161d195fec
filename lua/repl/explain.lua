--- What a call would write: \explain of the REPL.
--
-- The call is made as a proposal: rules and folds judge it where the log ends
-- now, and nothing of it is kept.
-- @module ate.repl.explain
local ate = require('ate')
local cell = require('ate.client.cell')
local problem = require('ate.client.problem')
local transaction = require('ate.client.transaction')

local M = {}

--- Rules that are asked about events of a type.
local function rules_of(schema, type_name)
    local short = type_name:match('([^.]+)$')
    local names = {}
    for _, rule in ipairs(schema.rules or {}) do
        for _, on in ipairs(rule.on or {}) do
            if on == type_name or on == short
                or on == schema.main .. '.' .. type_name then
                names[#names + 1] = rule.name
            end
        end
    end
    return names
end

local function event_line(event)
    local parts = {'  ' .. cell.text(event.change), cell.text(event.type)}
    local fields = transaction.fields_text(event.fields, cell.text)
    if fields ~= '' then
        parts[3] = fields
    end
    return table.concat(parts, ' ')
end

--- What a call that was proposed would write.
-- @tparam table repl {session}
-- @tparam string chain
-- @tparam table write what the proposing call gave
-- @treturn[1] table transactions, each {method, author, events, ...}
-- @treturn[2] nil
-- @treturn[2] table err
function M.read(repl, chain, write)
    local list, err = repl.session:read(chain, 'proposal',
        {proposal = write.proposal})
    if list == nil then
        return nil, problem.say(err, chain)
    end
    return list
end

--- The lines that tell it.
-- @tparam table schema
-- @tparam string method
-- @tparam table write {gas}
-- @tparam table transactions
-- @treturn table list of texts
function M.lines(schema, method, write, transactions)
    local lines, asked, seen = {}, {}, {}
    for _, tx in ipairs(transactions) do
        lines[#lines + 1] = ('%s would be transaction %s, by %s'):format(method,
            cell.text(tx.index), cell.text(tx.author))
        for _, event in ipairs(tx.events or {}) do
            lines[#lines + 1] = event_line(event)
            for _, name in ipairs(rules_of(schema, event.type)) do
                asked[#asked + 1] = not seen[name] and name or nil
                seen[name] = true
            end
        end
    end
    lines[#lines + 1] = 'rules   ' .. (#asked > 0 and table.concat(asked, ', ')
        or 'none')
    lines[#lines + 1] = 'gas     ' .. cell.text(write.gas or ate.null)
    return lines
end

return M
