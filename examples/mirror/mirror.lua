--- Keep a file equal to a view of a chain:
--
--     ate run mirror.lua CHAIN VIEW FILE [--once]
--
-- FILE is JSON, {at, rows}: the rows and the position at which they stand. It is
-- replaced as a whole, so whoever reads it, and this script itself when it is
-- started again, finds all of a position or of the one before. With --once it
-- ends when it is up to date.
local ate = require('ate')

local chain, view, path, once = ...
if path == nil then
    io.stderr:write('usage: ate run mirror.lua CHAIN VIEW FILE [--once]\n')
    return 2
end

--- What was kept last: the position and the rows, by their keys.
local function load_kept()
    local file = io.open(path)
    if file == nil then
        return nil, {}
    end
    local text = file:read('*a')
    file:close()
    local kept = assert(ate.json.decode(text))
    return kept.at, kept.rows
end

local function save(at, rows)
    local file = assert(io.open(path .. '.new', 'w'))
    assert(file:write(ate.json.encode({at = at, rows = rows}), '\n'))
    assert(file:close())
    assert(os.rename(path .. '.new', path))
end

local folder = assert(ate.open({read_only = true}))
local bank = folder:chain(chain)

--- The columns of the view's key, by which its rows are told apart.
local function key_columns()
    for _, one in ipairs(assert(bank:schema()).views) do
        if one.name == view then
            return one.key
        end
    end
    error(ate.error('NOT_FOUND', ('no view %q'):format(view)), 0)
end

local columns = key_columns()

local function key_of(row)
    local parts = {}
    for i, column in ipairs(columns) do
        parts[i] = tostring(row[column])
    end
    return table.concat(parts, '/')
end

local at, rows = load_kept()
local changes = bank:follow('view', view, nil, {from = at})
for change in changes do
    if change.reset ~= nil then
        rows = {}
    elseif change.put ~= nil then
        rows[key_of(change.put)] = change.put
    elseif change.gone ~= nil then
        rows[key_of(change.gone)] = nil
    end
    if change.at ~= nil then
        save(change.at, rows)
        if once == '--once' then
            break
        end
    end
end
changes:close()
