--- Verbs of `ate chain` about proofs: checkpoint, proof, publish.
-- @module ate.cli.proving
local ate = require('ate')
local cell = require('ate.client.cell')
local files = require('ate.client.files')
local problem = require('ate.client.problem')
local publish = require('ate.cli.publish')

local M = {}

local NAME = {name = 'NAME', doc = 'The chain.'}

--- Open the folder and ask.
local function ask(ctx, read, args)
    local session, err = ctx:open('read')
    if session == nil then
        return nil, err
    end
    local found
    found, err = session:read(ctx.args.NAME, read, args)
    if found == nil then
        return nil, problem.say(err, ctx.args.NAME)
    end
    return found, session
end

local function number(ctx, name)
    local text = ctx.args[name]
    if not text:match('^%d+$') then
        return nil, ate.error('INVALID', ('%s is the index of a transaction, '
            .. 'not %q'):format(name, text))
    end
    return text
end

--- The checkpoint that --checkpoint names, if it does.
local function given_checkpoint(ctx)
    if ctx.options.checkpoint == nil then
        return nil
    end
    return files.read_or_stdin('checkpoint', ctx.options.checkpoint,
        files.MOST_SMALL)
end

local function checkpoint(ctx)
    local found, err = ask(ctx, 'checkpoint', {size = ctx.options.size})
    if found == nil then
        return nil, err
    end
    if ctx.out.is_json then
        ctx.out:json(found)
    else
        ctx.out:write(found.checkpoint)
    end
    return 0
end

local function write_out(path, text)
    local file, wrong = io.open(path, 'wb')
    local ok = file ~= nil
    if ok then
        ok, wrong = file:write(text)
        local closed, closing = file:close()
        ok, wrong = ok and closed, wrong or closing
    end
    if not ok then
        return nil, ate.error('IO', wrong)
    end
    return true
end

local function proof(ctx)
    local index, err = number(ctx, 'INDEX')
    if index == nil then
        return nil, err
    end
    local given
    given, err = given_checkpoint(ctx)
    if err ~= nil then
        return nil, err
    end
    if given ~= nil and ctx.options.size ~= nil then
        return nil, ate.error('INVALID', 'chain proof: --checkpoint says the '
            .. 'size, --size is one too many')
    end
    local found
    found, err = ask(ctx, 'proof', {index = index, size = ctx.options.size,
        checkpoint = given})
    if found == nil then
        return nil, err
    end
    if ctx.options.output ~= nil then
        local ok
        ok, err = write_out(ctx.options.output, found.proof)
        if not ok then
            return nil, err
        end
        ctx.out:talk(('%s: transaction %s of %s under %s'):format(
            ctx.options.output, cell.text(found.index), ctx.args.NAME,
            cell.text(found.size)))
    elseif ctx.out.is_json then
        ctx.out:json(found)
    else
        ctx.out:write(found.proof)
    end
    return 0
end

local function run_publish(ctx)
    local given, err = given_checkpoint(ctx)
    if err ~= nil then
        return nil, err
    end
    local newest, session
    if given ~= nil then
        newest, session = ask(ctx, 'check', {checkpoint = given})
    else
        newest, session = ask(ctx, 'checkpoint')
    end
    if newest == nil then
        return nil, session
    end
    newest.checkpoint = given or newest.checkpoint
    local folder = ctx.args.DIR:gsub('(.)/+$', '%1')
    local count
    count, err = publish.run(session, ctx.args.NAME, folder, newest,
        function(done, total)
            ctx.out:progress('publish', done, total)
        end)
    ctx.out:clear_progress()
    if count == nil then
        return nil, problem.say(err, ctx.args.NAME)
    end
    if ctx.out.is_json then
        ctx.out:json({folder = folder, size = newest.size, root = newest.root,
            vkey = newest.vkey, files = count})
    else
        ctx.out:line(('%s  %s transactions  root %s  %d file%s written'):format(
            folder, cell.text(newest.size), cell.short(newest.root), count,
            count == 1 and '' or 's'))
    end
    return 0
end

local SIZE = {name = 'size', value = 'COUNT', number = true,
    doc = 'Of so many transactions; else of all that are durable.'}
local CHECKPOINT = {name = 'checkpoint', value = 'FILE',
    doc = 'A checkpoint that the holder of the order key signed, for where '
        .. 'that key is not.'}

M.checkpoint = {
    name = 'checkpoint',
    doc = 'Sign the size and root of the log.',
    args = {NAME},
    options = {SIZE},
    more = 'A note as C2SP tools read it. It takes the chain\'s order key; '
        .. 'ate chain info\nshows the vkey that checks it.',
    examples = {'ate chain checkpoint bank > bank.checkpoint'},
    run = checkpoint,
}

M.proof = {
    name = 'proof',
    doc = 'Prove a transaction to whoever has nothing of the chain.',
    args = {NAME, {name = 'INDEX', doc = 'The transaction, as its receipt or '
        .. 'ate chain tail says.'}},
    options = {
        {name = 'output', short = 'o', value = 'FILE',
            doc = 'Where to write it; else to stdout.'},
        SIZE, CHECKPOINT,
    },
    more = 'ate proof check reads it.',
    examples = {'ate chain proof bank 17 -o 17.tlog-proof'},
    run = proof,
}

M.publish = {
    name = 'publish',
    doc = 'Write the log\'s hashes and leaves as files that others check.',
    args = {NAME, {name = 'DIR', doc = 'A folder for it, or one to be brought '
        .. 'up to date.'}},
    options = {CHECKPOINT},
    more = 'A tree as C2SP tlog-tiles has it, to be served by any web '
        .. 'server. One of\nanother chain, or of another past, is refused. '
        .. 'Files that are there are\nnot read again: take DIR/checkpoint '
        .. 'away to have all written anew.',
    examples = {'ate chain publish bank /srv/www/bank'},
    run = run_publish,
}

return M
