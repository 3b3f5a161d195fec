--- Who may do what, from outside: grants, several who sign, root keys, and the
-- key that orders a chain; over one data folder and over two.
local run = require('helper')
local ate = require('ate')

local root = run.root .. '/'

before_each(run.begin)
after_each(run.finish)

--- Words with a data folder behind them.
local function within(folder, ...)
    local words = {...}
    words[#words + 1] = '--data'
    words[#words + 1] = run.dir .. '/' .. folder
    return unpack(words)
end

local function ok(folder, ...)
    return run.ok(within(folder, ...))
end

local function fails(folder, code, pattern, ...)
    return run.fails(code, pattern, within(folder, ...))
end

local function json(folder, ...)
    return run.json(within(folder, ...))
end

--- The data folders know each other's keys by the same names.
local function share_key(from, to, name)
    local text = ok(from, 'key', 'show', name, '--public')
    assert.matches('^ate%-pub 1\nsign %x+\nbox %x+\n$', text)
    ok(to, 'key', 'add', name, run.write(run.dir .. '/' .. name .. '.pub',
        text))
end

local function save(name, text)
    return run.write(run.dir .. '/' .. name, text)
end

--- Verified here, and read by the checker, which knows docs/format.md alone.
local function is_good(folder, chain)
    assert.matches('all as recorded[^\n]*\n$', ok(folder, 'chain', 'verify', chain))
    local path = ok(folder, 'chain', 'path', chain):gsub('\n$', '')
    local done = run.shell(run.quote(root .. 'checker/cli.mjs') .. ' '
        .. run.quote(path))
    assert.equal('', done.err)
    assert.equal(0, done.code)
    return path
end

local function tracker(folder)
    local text = run.read(root .. 'tests/lua/schemas/tracker.lua')
    text = text:gsub('version = 2,', "version = 2, bodies = 'open',", 1)
    ok(folder, 'chain', 'create', 'work', '--schema',
        save('tracker.lua', text))
    for _, name in ipairs({'bob', 'carol', 'dave'}) do
        ok(folder, 'key', 'new', name)
    end
    ok(folder, 'call', 'work', 'project.put', 'slug=p', 'group=me')
    ok(folder, 'call', 'work', 'project.put', 'slug=q', 'group=me')
end

local STRANGERS = 'accept-all,serializer,structured-logic'

--- A chain that takes in everybody, with an account of ann's.
local function bank(folder, ...)
    ok(folder, 'chain', 'create', 'bank', '--schema',
        root .. 'examples/bank/bank.lua', '--accept', STRANGERS, ...)
    ok(folder, 'key', 'new', 'ann')
    ok(folder, 'call', 'bank', 'account.put', 'name=ann', 'owner=ann')
end

describe('a grant', function()
    it('lets others write below an object, and no more', function()
        tracker('a')
        local page = {'call', 'work', 'page.put', 'project=p', 'path=x',
            'text=y', '--as', 'bob'}
        fails('a', 4, '^ate: work page%.put: page p/x: no delegation '
            .. 'gives its author the right to do it here, which takes '
            .. "'create' on project/p or above it; who has that right gives "
            .. 'it: ate grant work OBJECT RIGHT %-%-to WHO\n', unpack(page))
        assert.matches('^ate%.grant %d+%.0  index %d+  root %x+…  ',
            ok('a', 'grant', 'work', 'project/p', 'create,report', '--to',
                'bob'))
        ok('a', 'call', 'work', 'report', 'project=p', 'title=x', 'text=y',
            '--as', 'bob')
        ok('a', unpack(page))
        fails('a', 4, 'no delegation', 'call', 'work', 'page.put', 'project=q',
            'path=x', 'text=y', '--as', 'bob')
        -- The right to write is the engine's, to maintain the schema's own.
        fails('a', 6, '^ate: work move: not_allowed: bob may not edit p/1\n',
            'call', 'work', 'move', 'issue=p/1', 'to=doing', '--as', 'bob')
        ok('a', 'grant', 'work', 'project/p', 'maintain', '--to', 'bob')
        fails('a', 4, "which takes 'write' on issue/p/1 or above it", 'call',
            'work', 'move', 'issue=p/1', 'to=doing', '--as', 'bob')
        fails('a', 4, "which takes 'create' on /; who has that right", 'call', 'work',
            'project.put', 'slug=r', 'group=me', '--as', 'bob')
        ok('a', 'grant', 'work', 'issue/p/1', 'write', '--to', 'bob')
        ok('a', 'call', 'work', 'move', 'issue=p/1', 'to=doing', '--as', 'bob')
        is_good('a', 'work')
    end)

    it('is handed on to its depth, and falls with what it rests on', function()
        tracker('a')
        local first = json('a', 'grant', 'work', 'project/p',
            'create,delegate,report', '--to', 'carol', '--depth', '1',
            '--until', '2100-01-01T00:00:00Z').result
        fails('a', 4, 'it would outlive the delegation ' .. first, 'grant',
            'work', 'project/p', 'create,report', '--to', 'dave', '--as',
            'carol')
        fails('a', 4, 'gives a right that the delegation ' .. first, 'grant',
            'work', 'project/p', 'create,write', '--to', 'dave', '--as',
            'carol', '--until', '2099-01-01T00:00:00Z')
        local next_one = json('a', 'grant', 'work', 'project/p',
            'create,report', '--to', 'dave', '--as', 'carol', '--until',
            '2099-01-01T00:00:00Z').result
        ok('a', 'call', 'work', 'report', 'project=p', 'title=x', 'text=y',
            '--as', 'dave')
        assert.equal(
            'grant  object     rights                  to     by     depth  '
                .. 'until                 under  act_for\n'
                .. first .. '    project/p  create,delegate,report  carol  me'
                .. '         1  2100-01-01T00:00:00Z\n'
                .. next_one .. '    project/p  create,report           dave   '
                .. 'carol      0  2099-01-01T00:00:00Z  ' .. first .. '\n',
            ok('a', 'grants', 'work'))
        fails('a', 4, 'those who made or hold ' .. first, 'revoke', 'work',
            first, '--as', 'dave')
        assert.matches('^ate%.revoke  index %d+', ok('a', 'revoke', 'work',
            first))
        fails('a', 6, 'not_allowed: dave may not new', 'call', 'work',
            'report', 'project=p', 'title=x', 'text=y', '--as', 'dave')
        fails('a', 5, 'ate%.revocation: transaction %d+ revoked it', 'revoke',
            'work', first)
        assert.same({}, json('a', 'grants', 'work'))
        local all = json('a', 'grants', 'work', '--all', '--to', 'dave')
        assert.equal(1, #all)
        assert.is_false(all[1].in_force)
        assert.equal(first, all[1].under)
        assert.same({'create', 'report'}, all[1].rights)
        is_good('a', 'work')
    end)

    it('is refused with what would do', function()
        tracker('a')
        local function refused(code, pattern, ...)
            fails('a', code, pattern, 'grant', 'work', ...)
        end
        refused(3, "object: no project 'none'", 'project/none', 'create',
            '--to', 'bob')
        refused(2, "object 'thing': want TYPE/KEY, such as account/alice, or "
            .. '/ for the whole chain', 'thing', 'create', '--to', 'bob')
        refused(2, "there is no right 'steal': the engine has create, ", '/',
            'steal', '--to', 'bob')
        refused(3, "no key 'nobody'; there are: bob, carol, dave, me", '/',
            'create', '--to', 'nobody')
        refused(2, '^ate: %-%-to WHO is missing', '/', 'create')
        refused(2, 'depth is from 0 to 16', '/', 'create', '--to', 'bob',
            '--depth', '17')
        refused(2, "until: want a time such as 2026", '/', 'create', '--to',
            'bob', '--until', 'soon')
        refused(2, 'its time has passed already', '/', 'create', '--to', 'bob',
            '--until', '1999-01-01T00:00:00Z')
        refused(2, 'act_for: stands alone', '/', 'act_for,create', '--to',
            'bob')
        refused(4, "it takes the right 'delegate' there, or 1 of the chain's "
            .. '1 root key', '/', 'create', '--to', 'bob', '--as', 'bob')
        refused(3, "under: there is none at '9%.0'", '/', 'create', '--to',
            'bob', '--under', '9.0')
        fails('a', 2, "want the place of a grant, such as 12%.0", 'revoke',
            'work', 'first')
        fails('a', 3, "grant: there is none at '0%.0'", 'revoke', 'work',
            '0.0')
        fails('a', 2, 'GRANT is missing', 'revoke', 'work')
        local done = run.ate(within('a', 'grant', 'work', '/', 'create',
            '--to', 'bob', '--as', 'bob', '--json'))
        assert.equal(4, done.code)
        local err = ate.json.decode(done.err).error
        assert.equal('DENIED', err.code)
        assert.equal(4, err.exit)
        is_good('a', 'work')
    end)
end)

describe('acting for somebody', function()
    it('takes their word, or their signature', function()
        bank('a')
        ok('a', 'key', 'new', 'bob')
        ok('a', 'call', 'bank', 'account.put', 'name=bob', 'owner=bob', '--as',
            'bob')
        local pay = {'call', 'bank', 'transfer', 'from=ann', 'to=bob',
            'amount=3', '--as', 'bob'}
        local function paying(...)
            local words = {unpack(pay)}
            for _, word in ipairs({...}) do
                words[#words + 1] = word
            end
            return unpack(words)
        end
        fails('a', 6, 'not_owner: ann is not yours', paying())
        fails('a', 4, '^ate: bank transfer: transfer: its author may not act '
            .. 'for ann here; ann lets it by granting act_for on /, or signs, '
            .. 'too\n', paying('--for', 'ann'))
        ok('a', paying('--with', 'ann'))
        local grant = json('a', 'grant', 'bank', '/', 'act_for', '--to', 'bob',
            '--as', 'ann').result
        ok('a', paying('--for', 'ann'))
        ok('a', paying())
        -- Whose the call is belongs to what a call id stands for.
        local once = {'--call-id', ('5'):rep(32)}
        local first = json('a', paying('--for', 'ann', unpack(once)))
        assert.equal(first.tx,
            json('a', paying('--for', 'ann', unpack(once))).tx)
        fails('a', 5, 'used for another caller, by transaction',
            paying(unpack(once)))
        assert.equal('ann', json('a', 'grants', 'bank')[1].act_for)
        ok('a', 'revoke', 'bank', grant, '--as', 'ann')
        fails('a', 6, 'not_owner', paying())
        fails('a', 4, 'may not act for', paying('--for', 'ann'))
        fails('a', 2, 'a key signs once', paying('--with', 'bob'))
        fails('a', 3, "no key 'eve'", paying('--with', 'eve'))
        is_good('a', 'bank')
    end)
end)

describe('a proposal', function()
    it('is signed in another folder and handed in here', function()
        bank('a')
        ok('b', 'key', 'new', 'bob')
        share_key('b', 'a', 'bob')
        ok('a', 'call', 'bank', 'account.put', 'name=bob', 'owner=bob')
        fails('a', 4, 'key bob: only its public half is here, so it cannot '
            .. 'sign', 'call', 'bank', 'transfer', 'from=bob', 'to=ann',
            'amount=5', '--with', 'bob')
        local size = json('a', 'chain', 'info', 'bank').size
        local text = ok('a', 'call', 'bank', 'transfer', 'from=bob', 'to=ann',
            'amount=5', '--with', 'bob', '--propose')
        assert.matches('^ate%-proposal 1\nchain %x+ bank\n%S+\n$', text)
        assert.equal(size, json('a', 'chain', 'info', 'bank').size)
        local offer = save('offer', text)
        local shown = ok('a', 'proposal', 'show', offer)
        assert.matches('^bank%.transfer by me, tx %x+…\n  fact ate%.key  '
            .. 'key=bob\n  fact transfer  amount=5%.00 from=bob to=ann\n$',
            shown)
        fails('a', 2, 'ate%.key: bob has not signed the transaction',
            'proposal', 'submit', offer)
        fails('a', 5, 'its author has signed it', 'proposal', 'sign', offer)
        fails('a', 4, 'only its public half is here', 'proposal', 'sign',
            offer, '--as', 'bob')
        local deal = save('deal', ok('b', 'proposal', 'sign', offer, '--as',
            'bob'))
        assert.matches('\n  signed by bob %(author%)\n$',
            ok('a', 'proposal', 'show', deal))
        assert.equal('bob (author)', json('a', 'proposal', 'show',
            deal)[1].signed[1])
        fails('b', 3, "no chain 'bank'", 'proposal', 'submit', deal)
        local first = json('a', 'proposal', 'submit', deal)[1]
        assert.is_false(first.known)
        local again = json('a', 'proposal', 'submit', deal)[1]
        assert.is_true(again.known)
        assert.equal(first.index, again.index)
        assert.equal(first.tx, again.tx)
        assert.same({ann = '5.00', bob = '-5.00'}, (function()
            local rows = {}
            for _, row in ipairs(json('a', 'view', 'bank', 'balance')) do
                rows[row.account] = row.amount
            end
            return rows
        end)())
        assert.matches('bank%.transfer', ok('a', 'chain', 'tail', 'bank',
            '--json', '-n', '1'))
        local path = is_good('a', 'bank')
        local done = run.shell(run.quote(root .. 'checker/cli.mjs')
            .. ' ' .. run.quote(path) .. ' --receipt ' .. first.receipt)
        assert.equal(0, done.code, done.err)
    end)

    -- Who signs has seen what he signs: headers have but the hash of a body.
    it('shows bodies, and none that is not the one', function()
        ok('a', 'chain', 'create', 'deal', '--accept', STRANGERS, '--schema',
            save('deal.lua', [[
local ate = require('ate')
local t = ate.types
local deal = ate.schema('deal', {doc = 'Deals.', version = 1})
deal:event('offer', {
    doc = 'Terms.',
    header = {who = t.identity()},
    body = {terms = t.text({max = 5000})},
})
return deal
]]))
        ok('a', 'key', 'new', 'bob')
        local text = ok('a', 'call', 'deal', 'offer.append', 'who=me',
            'terms=' .. ('a'):rep(30), '--with', 'bob', '--propose')
        assert.matches('\n  fact offer  who=me\n    terms=a+\n  signed by bob',
            ok('a', 'proposal', 'show', save('offer', text)))
        local body = json('a', 'proposal', 'show', run.dir .. '/offer')[1]
            .bodies[2]
        assert.equal(64, #body.hash)
        assert.equal(('a'):rep(30), body.fields.terms)
        -- Three letters of it, and the last of the author's signature.
        local other, count = text:gsub('YWFh(%w*=*\n)$', 'YWFi%1')
        assert.equal(1, count)
        fails('a', 8, 'event 1: body is not what its hash says', 'proposal',
            'show', save('other', other))
        local head, coded = text:match('^(.*\n)(%S+\n)$')
        fails('a', 8, 'signature', 'proposal', 'show', save('unsigned', head
            .. coded:sub(1, 99) .. (coded:sub(100, 100) == 'A' and 'B' or 'A')
            .. coded:sub(101)))
    end)

    it('that is none, or another chain\'s, is refused', function()
        bank('a')
        ok('b', 'key', 'new', 'bob')
        share_key('b', 'a', 'bob')
        ok('a', 'chain', 'create', 'other', '--schema',
            root .. 'examples/bank/bank.lua', '--accept', STRANGERS)
        local text = ok('a', 'call', 'bank', 'account.put', 'name=x',
            'owner=me', '--with', 'bob', '--propose')
        fails('a', 2, 'no proposal', 'proposal', 'submit',
            save('none', 'hello\n'))
        fails('a', 3, 'No such file', 'proposal', 'show', run.dir .. '/away')
        fails('a', 2, 'the proposal is for the chain bank whose id is '
            .. text:match('\nchain (%x+)'), 'proposal', 'submit',
            save('p', text), '--chain', 'other')
        fails('a', 2, "another chain's", 'proposal', 'show', save('p', text),
            '--chain', 'other')
        fails('a', 2, 'its third line', 'proposal', 'submit',
            save('p', text:sub(1, -20) .. '\n'))
        -- One letter of what was signed.
        local signed = ok('b', 'proposal', 'sign', save('p', text), '--as',
            'bob')
        local at = #signed - 200
        local letter = signed:sub(at, at) == 'A' and 'B' or 'A'
        local done = run.ate(within('a', 'proposal', 'submit', save('p',
            signed:sub(1, at - 1) .. letter .. signed:sub(at + 1))))
        assert.is_true(done.code == 8 or done.code == 2, done.err)
        is_good('a', 'bank')
    end)
end)

describe('root keys', function()
    local function vault()
        for _, name in ipairs({'ann', 'bob'}) do
            ok('a', 'key', 'new', name)
        end
        for _, name in ipairs({'cy', 'dan'}) do
            ok('b', 'key', 'new', name)
            share_key('b', 'a', name)
        end
        ok('a', 'chain', 'create', 'vault', '--schema',
            root .. 'examples/bank/bank.lua', '--root', 'ann', '--root', 'bob',
            '--root', 'cy', '--threshold', '2')
    end

    it('agree, two of three, also in two folders', function()
        vault()
        local put = {'call', 'vault', 'account.put', 'name=a', 'owner=ann',
            '--as', 'ann'}
        fails('a', 4, 'no delegation gives its author', unpack(put))
        put[#put + 1] = '--root'
        put[#put + 1] = 'bob'
        ok('a', unpack(put))
        local text = ok('a', 'call', 'vault', 'account.put', 'name=b',
            'owner=ann', '--as', 'ann', '--root', 'cy', '--propose')
        local offer = save('offer', text)
        fails('a', 4, 'no delegation', 'proposal', 'submit', offer)
        -- Signed for another purpose it does not count.
        fails('a', 4, 'no delegation', 'proposal', 'submit', save('as-author',
            ok('b', 'proposal', 'sign', offer, '--as', 'cy')))
        ok('a', 'proposal', 'submit', save('as-root', ok('b', 'proposal',
            'sign', offer, '--as', 'cy', '--root')))
        fails('a', 4, '2 of the chain\'s 3 root keys', 'grant', 'vault', '/',
            'create', '--to', 'bob', '--as', 'ann')
        ok('a', 'grant', 'vault', '/', 'create', '--to', 'bob', '--as', 'ann',
            '--root', 'bob')
        ok('a', 'call', 'vault', 'account.put', 'name=c', 'owner=bob', '--as',
            'bob')
        is_good('a', 'vault')
    end)

    it('are put in place of others by both', function()
        vault()
        local rotate = {'chain', 'rotate', 'vault', '--key', 'cy', '--key',
            'dan', '--threshold', '2', '--as', 'ann', '--root', 'bob'}
        fails('a', 4, '2 of the new keys have to sign it, too, 0 did',
            unpack(rotate))
        for _, word in ipairs({'--root', 'cy', '--root', 'dan', '--next',
            'ann', '--propose'}) do
            rotate[#rotate + 1] = word
        end
        local text = ok('a', unpack(rotate))
        local once = ok('b', 'proposal', 'sign', save('p', text), '--as', 'cy',
            '--root')
        fails('a', 2, 'dan has not signed', 'proposal', 'submit',
            save('once', once))
        local twice = save('twice', ok('b', 'proposal', 'sign',
            save('once', once), '--as', 'dan', '--root'))
        assert.matches('\n  fact ate%.key  key=dan\n  fact ate%.roots  '
            .. 'keys=cy,dan next=%x+ threshold=2\n  signed by ',
            ok('a', 'proposal', 'show', twice))
        ok('a', 'proposal', 'submit', twice)
        local info = json('a', 'chain', 'info', 'vault')
        assert.same({'cy', 'dan'}, info.roots)
        assert.equal(2, info.threshold)
        assert.equal(64, #info.next_roots)
        fails('a', 4, 'no delegation', 'call', 'vault', 'account.put',
            'name=x', 'owner=ann', '--as', 'ann', '--root', 'bob')
        fails('a', 4, "2 of the chain's 2 root keys", 'chain', 'rotate',
            'vault', '--key', 'bob', '--as', 'ann', '--root', 'bob')
        is_good('a', 'vault')
    end)

    it('are as many as they say', function()
        ok('a', 'key', 'new', 'ann')
        local function create(code, pattern, ...)
            fails('a', code, pattern, 'chain', 'create', 'v', '--schema',
                root .. 'examples/bank/bank.lua', ...)
        end
        create(2, 'root keys 0 and 1 are one key', '--root', 'ann', '--root',
            'ann')
        create(2, '3 of 1 root keys cannot agree', '--root', 'ann',
            '--threshold', '3')
        create(2, "'threshold' is at least 1, got 0", '--root', 'ann',
            '--threshold', '0')
        create(3, "no key 'eve'", '--root', 'eve')
        ok('b', 'key', 'new', 'cy')
        share_key('b', 'a', 'cy')
        create(4, '1 of the root keys can sign here, 2 have to', '--root',
            'ann', '--root', 'cy')
        assert.same({}, json('a', 'chain', 'ls'))
    end)
end)

describe('the order key', function()
    --- Put a copy of the chain into another data folder: its folder, and its
    -- line of `names`.
    local function copy(from, to)
        local done = run.shell(([[
            set -e
            path=$("$ATE" chain path bank --data %s)
            mkdir -p %s/$(basename "$(dirname "$path")")
            cp -r "$path" %s/$(basename "$(dirname "$path")")/
            cat %s/names >>%s/names
        ]]):format(from, to, to, from, to))
        assert.equal(0, done.code, done.err)
    end

    it('goes to another folder, and the chain with it', function()
        bank('a')
        ok('b', 'key', 'new', 'bob')
        share_key('b', 'a', 'bob')
        fails('a', 4, "the right 'order' on the whole chain, or 1 of the "
            .. "chain's 1 root key", 'chain', 'order', 'bank', 'bob', '--as',
            'ann')
        assert.matches('^ate%.order  index %d+  root ', ok('a', 'chain',
            'order', 'bank', 'bob'))
        -- The old folder reads, and writes no more, however long it waits.
        fails('a', 7, 'does not hold the chain\'s order key %(term 2%)',
            'call', 'bank', 'account.put', 'name=x', 'owner=me')
        is_good('a', 'bank')
        copy('a', 'b')
        ok('b', 'call', 'bank', 'account.put', 'name=bob', 'owner=bob', '--as',
            'bob')
        local info = json('b', 'chain', 'info', 'bank')
        assert.equal(2, info.term)
        is_good('b', 'bank')
        is_good('a', 'bank') -- shorter, and as good

        -- There, too, only root keys name the next one.
        share_key('a', 'b', 'ann')
        fails('b', 4, "the right 'order' on the whole chain", 'chain', 'order',
            'bank', 'ann', '--as', 'bob')
    end)

    it('is taken by root keys where a copy is', function()
        bank('a')
        ok('a', 'grant', 'bank', '/', 'order', '--to', 'ann')
        ok('a', 'chain', 'order', 'bank', 'ann', '--as', 'ann')
        ok('a', 'call', 'bank', 'account.put', 'name=y', 'owner=me')
        assert.equal(2, json('a', 'chain', 'info', 'bank').term)
        ok('a', 'chain', 'order', 'bank', 'node')
        assert.equal(3, json('a', 'chain', 'info', 'bank').term)
        fails('a', 3, "no key 'nobody'", 'chain', 'order', 'bank', 'nobody')
        fails('a', 2, 'KEY is missing', 'chain', 'order', 'bank')
        is_good('a', 'bank')
    end)
end)

describe('others\' keys', function()
    it('are taken in once, and never sign', function()
        ok('b', 'key', 'new', 'bob')
        share_key('b', 'a', 'bob')
        local here, there = json('a', 'key', 'show', 'bob'), json('b', 'key',
            'show', 'bob')
        assert.equal(there.id, here.id)
        fails('a', 5, "there is a key 'bob' already", 'key', 'add', 'bob',
            run.dir .. '/bob.pub')
        fails('a', 2, "'node' is a key of this folder's own", 'key', 'add',
            'node', run.dir .. '/bob.pub')
        fails('a', 2, '', 'key', 'add', 'x', save('none', 'ate-pub 1\n'))
        fails('a', 3, 'No such file', 'key', 'add', 'x', run.dir .. '/away')
        bank('a')
        fails('a', 4, 'only its public half is here', 'call', 'bank',
            'account.put', 'name=x', 'owner=me', '--as', 'bob')
        -- Nor does somebody's own public half stand in their way.
        ok('a', 'key', 'show', 'ann', '--public')
        ok('a', 'key', 'add', 'zoe', save('ann.pub', ok('a', 'key', 'show',
            'ann', '--public')))
        ok('a', 'call', 'bank', 'account.put', 'name=z', 'owner=me', '--as',
            'ann')
        is_good('a', 'bank')
    end)
end)
