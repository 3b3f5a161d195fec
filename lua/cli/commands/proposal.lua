--- ate proposal: transactions that are signed in several places.
local ate = require('ate')
local cell = require('ate.client.cell')
local files = require('ate.client.files')
local problem = require('ate.client.problem')
local transaction = require('ate.client.transaction')

local FILE = {name = 'FILE', doc = 'The proposal; - reads stdin.'}

local function read_proposal(ctx)
    return files.read_or_stdin('proposal', ctx.args.FILE,
        files.MOST_SIGNED)
end

--- The chain that it is for, as it is called there.
local function chain_of(text)
    return text:match('^[^\n]*\nchain %x+ ([^\n]+)\n')
end

--- What a body says, or which one it is.
local function body_text(body)
    if body.fields ~= nil then
        return transaction.fields_text(body.fields, cell.text)
    end
    return ('body of %s bytes, hash %s'):format(cell.text(body.length),
        body.hash)
end

local function print_transaction(ctx, tx)
    local out = ctx.out
    out:line(('%s by %s, tx %s'):format(cell.text(tx.method),
        cell.text(tx.author), cell.short(tx.tx)))
    for n, event in ipairs(tx.events or {}) do
        local under = event.under ~= nil
            and (' (under %s)'):format(cell.text(event.under)) or ''
        out:line(('  %s %s  %s%s'):format(cell.text(event.change),
            cell.text(event.type),
            transaction.fields_text(event.fields, cell.text), under))
        local body = (tx.bodies or {})[n]
        if body ~= nil and body ~= ate.null then
            out:line('    ' .. body_text(body))
        end
    end
    for _, signer in ipairs(tx.signed or {}) do
        out:line('  signed by ' .. cell.text(signer))
    end
end

local function show(ctx)
    local text, err = read_proposal(ctx)
    if text == nil then
        return nil, err
    end
    local chain = ctx.options.chain or chain_of(text)
    if chain == nil then
        return nil, ate.error('INVALID', ctx.args.FILE .. ': no proposal')
    end
    local session
    session, err = ctx:open('read')
    if session == nil then
        return nil, err
    end
    local list
    list, err = session:read(chain, 'proposal', {proposal = text})
    if list == nil then
        return nil, problem.say(err, chain)
    end
    if ctx.out.is_json then
        ctx.out:json(list)
        return 0
    end
    for _, tx in ipairs(list) do
        print_transaction(ctx, tx)
    end
    return 0
end

local function sign(ctx)
    local text, err = read_proposal(ctx)
    if text == nil then
        return nil, err
    end
    local session
    session, err = ctx:open('read')
    if session == nil then
        return nil, err
    end
    local signed
    signed, err = session:call(nil, 'proposal.sign', {proposal = text,
        key = ctx.options.as, purpose = ctx.options.root and 'root' or nil})
    if signed == nil then
        return nil, err
    end
    if ctx.out.is_json then
        ctx.out:json(signed)
    else
        ctx.out:write(signed.proposal)
    end
    return 0
end

local function submit(ctx)
    local text, err = read_proposal(ctx)
    if text == nil then
        return nil, err
    end
    local chain = ctx.options.chain or chain_of(text)
    if chain == nil then
        return nil, ate.error('INVALID', ctx.args.FILE .. ': no proposal')
    end
    local session
    session, err = ctx:open('write')
    if session == nil then
        return nil, err
    end
    local list
    list, err = session:call(chain, 'ate.submit', {proposal = text})
    if list == nil then
        return nil, problem.say(err, chain .. ' submit')
    end
    if ctx.out.is_json then
        ctx.out:json(list)
        return 0
    end
    for _, result in ipairs(list) do
        ctx.out:line(('submit  index %s  tx %s'):format(
            cell.text(result.index), cell.short(result.tx)))
    end
    return 0
end

local CHAIN = {name = 'chain', value = 'NAME',
    doc = 'How the chain is called here; else as in the file.'}

return {
    name = 'proposal',
    doc = 'Transactions that are signed in several places.',
    verbs = {
        {
            name = 'show',
            doc = 'Show what a proposal would write.',
            args = {FILE},
            options = {CHAIN},
            run = show,
        },
        {
            name = 'sign',
            doc = 'Sign a proposal; prints it with the signature.',
            args = {FILE},
            options = {
                {name = 'as', value = 'KEY', doc = 'The key that signs; else me.'},
                {name = 'root', doc = 'Sign as a root key.'},
            },
            examples = {'ate proposal sign deal.txt --as bob > signed.txt'},
            run = sign,
        },
        {
            name = 'submit',
            doc = 'Hand a proposal in where the chain is ordered.',
            args = {FILE},
            options = {CHAIN},
            run = submit,
        },
    },
}
