--- ate proof: check what others show.
local ate = require('ate')
local cell = require('ate.client.cell')
local facts = require('ate.client.facts')
local files = require('ate.client.files')
local grid = require('ate.client.grid')

--- The names of the keys in the folder, by what a proof calls them.
local function known_keys(session)
    local names = {}
    for _, key in ipairs(session:call(nil, 'key.ls') or {}) do
        if key.id ~= nil then
            names['key:' .. key.id] = key.name
        end
    end
    return names
end

--- A key as a proof calls it, behind its name where it has one here.
local function named(key, found)
    local name = found and found.keys[key]
    return name and ('%s (%s)'):format(name, key) or key
end

--- Compare with a chain at hand: its name, or its folder anywhere.
-- @treturn[1] table what the chain says, or false when none was named
-- @treturn[2] nil
-- @treturn[2] table err
local function compare(ctx, report)
    local session, err
    local name, path = ctx.args.NAME, ctx.options.path
    if name == nil and path == nil then
        return false
    end
    if path ~= nil then
        session, err = ctx:open_chain_folder(path)
    else
        session, err = ctx:open('read')
    end
    if session == nil then
        return nil, err
    end
    local found
    found, err = session:read(name or '', 'check', {
        checkpoint = report.checkpoint, index = report.index, tx = report.tx})
    if found == nil then
        err.text = ('%s: %s'):format(path or name,
            (err.text:gsub('^check: ', '')))
        return nil, err
    end
    found.path, found.name = path, name
    found.keys = known_keys(session)
    found.shown = session:rows(name or '', 'tail',
        {from = report.index, limit = 1})
    return found
end

--- The events as the chain at hand shows the same transaction: it knows the
-- types of their fields.
local function events_of(report, found)
    local shown = found and found.shown and found.shown[1]
    if not shown or shown.tx ~= report.tx then
        return report.events
    end
    for i, event in ipairs(report.events) do
        local row = shown.events[i]
        event.fields = row and row.fields or event.fields
        event.object = row and row.id or event.object
    end
    return report.events
end

local function who_signed(report)
    if report.vkey_of_genesis then
        return 'the order key that genesis names'
    end
    return 'the key given: ' .. report.vkey
end

local function author_line(report, found)
    local author = named(report.author, found)
    if report.author_checked then
        return author .. ', who signed it'
    end
    return author .. ', whose key and signature are not in the file'
end

local function signature_lines(report, found, lines)
    for _, signature in ipairs(report.signatures or {}) do
        lines[#lines + 1] = {'signed by', ('%s as %s%s'):format(
            named(signature.key, found), signature.purpose, signature.checked
                and '' or ', not checked: its key is not in the file')}
    end
end

local function event_lines(event, n, lines)
    lines[#lines + 1] = {'event ' .. n, ('%s %s, object %s'):format(
        event.change, event.type, event.object)}
    local names = {}
    for name in pairs(event.fields) do
        names[#names + 1] = name
    end
    table.sort(names)
    for _, name in ipairs(names) do
        lines[#lines + 1] = {'  ' .. name, cell.shown(event.fields[name])}
    end
    if event.body_hash ~= nil then
        lines[#lines + 1] = {'  body', ('%s bytes, hash %s'):format(
            cell.text(event.body_length), event.body_hash)}
    end
end

local function print_proof(ctx, report, found)
    local lines = {
        {'proved', ('transaction %s of %s'):format(cell.text(report.index),
            cell.shown(report.name))},
        {'chain', report.chain},
        {'tx', report.tx},
        {'method', report.method},
    }
    if report.author ~= nil then
        lines[#lines + 1] = {'author', author_line(report, found)}
    end
    if report.caller ~= nil then
        lines[#lines + 1] = {'acting for',
            named(report.caller, found)}
    end
    signature_lines(report, found, lines)
    for i, event in ipairs(events_of(report, found)) do
        event_lines(event, ('%s.%d'):format(cell.text(report.index), i - 1),
            lines)
    end
    if not found then
        lines[#lines + 1] = {'fields', 'as stored: amounts in their smallest '
            .. 'unit; name a chain, and they are as it shows them'}
    end
    lines[#lines + 1] = {'size', cell.text(report.size)}
    lines[#lines + 1] = {'root', report.root}
    lines[#lines + 1] = {'promised by', who_signed(report)}
    if found then
        lines[#lines + 1] = {'fits', found.path or found.name}
    end
    ctx.out:write(grid.facts(lines, ctx.out:bolder()))
end

local function print_receipt(ctx, report, found)
    facts.print(ctx.out, {
        index = report.index,
        chain = report.chain,
        tx = report.tx,
        size = report.size,
        root = report.root,
        term = found and found.term or nil,
        fits = found and (found.path or found.name) or nil,
    }, {'index', 'chain', 'tx', 'size', 'root', 'term', 'fits'})
end

--- The receipt in what `ate call --json` printed.
-- @treturn[1] string
-- @treturn[2] nil it is no such document
local function receipt_in(text)
    local document = text:match('^%s*{') and ate.json.decode(text)
    local receipt = type(document) == 'table' and document.receipt
    return type(receipt) == 'string' and receipt or nil
end

local function check(ctx)
    local text, err = files.read_or_stdin('proof check', ctx.args.FILE,
        files.MOST_SIGNED)
    if text == nil then
        return nil, err
    end
    if ctx.args.NAME ~= nil and ctx.options.path ~= nil then
        return nil, ate.error('INVALID', 'proof check compares with NAME or '
            .. 'with --path DIR, not with both')
    end
    local report
    report, err = ate.proof(receipt_in(text) or text, ctx.options.key)
    if report == nil then
        err.text = ctx.args.FILE .. ': ' .. err.text
        return nil, err
    end
    if report.kind == 'receipt' and ctx.args.NAME == nil
        and ctx.options.path == nil then
        return nil, ate.error('INVALID', ctx.args.FILE .. ': a receipt is a '
            .. 'promise about a log; name the chain to compare it with, or '
            .. 'its folder by --path DIR')
    end
    local found
    found, err = compare(ctx, report)
    if found == nil then
        return nil, err
    end
    if ctx.out.is_json then
        report.compared = found ~= false
        ctx.out:json(report)
    elseif report.kind == 'receipt' then
        print_receipt(ctx, report, found)
    else
        print_proof(ctx, report, found)
    end
    return 0
end

return {
    name = 'proof',
    doc = 'Check what others show of a chain.',
    verbs = {
        {
            name = 'check',
            doc = 'Check a proof, or a receipt, and say what it proves.',
            args = {
                {name = 'FILE', doc = 'From ate chain proof, or what ate '
                    .. 'call --json printed, or its receipt alone; - reads '
                    .. 'stdin.'},
                {name = 'NAME', optional = true, doc = 'A chain here that it '
                    .. 'has to fit.'},
            },
            options = {
                {name = 'key', value = 'VKEY', doc = 'The key that signed the '
                    .. 'checkpoint; else the order key that genesis names.'},
                {name = 'path', value = 'DIR', doc = 'A chain\'s folder, '
                    .. 'copied from anywhere, that it has to fit.'},
            },
            more = 'A proof needs nothing else: no data folder, no chain. '
                .. 'Fields are shown as they are\nstored, amounts in their '
                .. 'smallest unit, unless a chain is named. A receipt needs '
                .. 'one.',
            examples = {'ate proof check 17.tlog-proof',
                'ate proof check call.json bank'},
            run = check,
        },
    },
}
