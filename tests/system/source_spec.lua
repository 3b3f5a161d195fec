--- The Lua of a chain, read by who bets on it: byte for byte what was published,
-- of each version, through each door, and of a damaged chain or a copy, too.
local run = require('helper')
local ate = require('ate')
local rest = require('rest_helper')
local session = require('ate.client.session')

before_each(run.begin)
after_each(run.finish)

local WORDS = "-- w\195\182rds\nreturn {dear = 'is too dear'}\n"

--- The folder of a schema of two files, without a line feed at the end.
local function schema(version)
    local folder = ('%s/v%d'):format(run.dir, version)
    os.execute('mkdir -p ' .. run.quote(folder .. '/parts'))
    run.write(folder .. '/parts/words.lua', WORDS)
    return run.write(folder .. '/shop.lua', ([[
local ate = require('ate')
local t = ate.types
local words = require('parts.words')
local shop = ate.schema('shop', {doc = 'A shop.', version = %d})
shop:object('item', {
    doc = 'Something to sell.', key = {'name'},
    header = {name = t.name(), price = t.integer()},
})
shop:rule('dear', {
    doc = 'Nothing is dear.', on = {'item'}, text = '{name} ' .. words.dear,
    check = function(_, item)
        return item.price <= %d or ate.deny({name = item.name})
    end,
})
return shop]]):format(version, version * 10))
end

--- A chain that has had version 1, and has version 2.
local function shop()
    run.ok('chain', 'create', 'shop', '--schema', schema(1))
    run.ok('call', 'shop', 'item.put', 'name=hat', 'price=3')
    run.ok('schema', 'apply', 'shop', schema(2))
end

local function bundle_of(file)
    return run.json('check', file).bundle
end

local function text(...)
    return run.ok('schema', 'source', 'shop', ...)
end

--- What the read gives by any door, here or through a daemon.
local function is_as_published()
    assert.equal(run.read(schema(2)), text('shop'))
    assert.equal(run.read(schema(1)), text('shop', '--version', '1'))
    assert.equal(WORDS, text('parts.words'))
    assert.equal(bundle_of(schema(1)), run.json('schema', 'source', 'shop',
        '--version', '1').bundle)
    local found = run.json('schema', 'source', 'shop')
    assert.equal(bundle_of(schema(2)), found.bundle)
    assert.equal(run.json('chain', 'info', 'shop').bundle, found.bundle)
    assert.equal(2, found.version)
    assert.is_true(found.in_force)
    run.fails(3, "no version 7; there are 2, 1\n", 'schema', 'source', 'shop',
        '--version', '7')
    run.fails(3, "no module 'parts%.word'; did you mean 'parts%.words'%?\n",
        'schema', 'source', 'shop', 'parts.word')
    run.fails(3, "no module 'x'; there are ate, ate%.types, parts%.words, "
        .. 'shop\n', 'schema', 'source', 'shop', 'x')
end

describe('ate schema source', function()
    it('gives what was published, of each version', function()
        shop()
        is_as_published()
        assert.matches('^schema +shop 1, not in force\nbundle +'
            .. bundle_of(schema(1)) .. '\nmodule +file +bytes +sha256\n'
            .. 'ate +ate/init%.lua +%d+ +%x+  standard\n'
            .. 'ate%.types +ate/types%.lua +%d+ +%x+  standard\n'
            .. 'parts%.words +parts/words%.lua +' .. #WORDS .. ' +%x+\n'
            .. 'shop +shop%.lua +%d+ +%x+  main\n$',
            text('--version', '1'))
        local sum = run.shell('sha256sum v2/shop.lua').out:match('^%x+')
        assert.equal(sum, run.json('schema', 'source', 'shop', 'shop').sha256)
    end)

    it('gives the same through a daemon', function()
        shop()
        local path = run.path('shop')
        run.script(run.PRELUDE .. [[
            serve
            "$ATE" schema source shop shop >two || fail 'version 2'
            cmp two v2/shop.lua || fail 'not version 2'
            "$ATE" schema source shop shop --version 1 >one || fail 'version 1'
            cmp one v1/shop.lua || fail 'not version 1'
            "$ATE" schema source shop shpo 2>err && fail 'no such module'
            grep -q "did you mean 'shop'" err || fail "$(cat err)"
            "$ATE" schema source shop --all all >told || fail 'not written'
            "$ATE" check all/shop.lua || fail 'not checked'
            stop
        ]])
        assert.is_string(path)
        is_as_published()
    end)

    it('gives what root keys may put in force next', function()
        run.ok('chain', 'create', 'shop', '--schema', schema(1))
        local bundle = assert(ate.bundle(schema(2)))
        local s = assert(session.open(run.data, {}))
        assert(s:call('shop', 'ate.bundle', {bundle = ate.bin(bundle)}))
        s:close()
        assert.equal(run.read(schema(1)), text('shop'))
        assert.equal(run.read(schema(2)), text('shop', '--version', '2'))
        local found = run.json('schema', 'source', 'shop', '--version', '2')
        assert.equal(run.json('chain', 'info', 'shop').next_bundle,
            found.bundle)
        assert.is_false(found.in_force)
    end)

    it('writes all of it, and what it writes is the same schema', function()
        shop()
        local out = run.dir .. '/out/of it'
        assert.equal(('%s/ate/init.lua\n%s/ate/types.lua\n%s/parts/words.lua\n'
            .. '%s/shop.lua\n'):format(out, out, out, out),
            text('--version', '1', '--all', out .. '/'))
        assert.equal(run.read(schema(1)), run.read(out .. '/shop.lua'))
        assert.equal(WORDS, run.read(out .. '/parts/words.lua'))
        assert.equal(bundle_of(schema(1)), bundle_of(out .. '/shop.lua'))
        run.fails(5, 'out/of it is not empty', 'schema', 'source', 'shop',
            '--all', out)
        run.fails(2, 'shop%.lua is not a folder', 'schema', 'source', 'shop',
            '--all', out .. '/shop.lua')
        run.fails(2, 'leave "shop" out', 'schema', 'source', 'shop', 'shop',
            '--all', run.dir .. '/other')
        assert.same(4, #run.json('schema', 'source', 'shop', '--all',
            run.dir .. '/json').files)
    end)

    -- Names of files stand in the chain: who published it chose them.
    it('lets no file leave the folder, or stand on another', function()
        local bundle = assert(ate.bundle(schema(1)))
        local label = 'parts/words.lua'
        local bad = {['../../a/b1.lua'] = 'is called "%.%./%.%./a/b1',
            ['/tmp/out/b12.lua'] = 'is called "/tmp', ['a/../../bc.lua'] = 'is',
            ['parts//word.lua'] = 'is', ['.git/hooks.lua'] = 'is',
            ['parts/words.luc'] = 'is', ['ate/types.lua'] = 'have one file'}
        local s = assert(session.open(run.data, {create = true}))
        assert(s:call(nil, 'key.new', {name = 'me'}))
        for file in pairs(bad) do
            local forged = bundle:gsub(string.char(0xa0 + #label)
                .. label:gsub('%.', '%%.'), string.char(0xa0 + #file) .. file)
            assert(s:call(nil, 'chain.create', {name = 'c' .. #file
                .. file:gsub('%W', ''), bundle = ate.bin(forged)}))
        end
        s:close()
        for file, why in pairs(bad) do
            local name = 'c' .. #file .. file:gsub('%W', '')
            run.fails(2, why, 'schema', 'source', name, '--all',
                run.dir .. '/out')
            assert.equal(WORDS, run.ok('schema', 'source', name,
                'parts.words'))
        end
        assert.is_nil(io.open(run.dir .. '/out'))
    end)

    it('tells it of a damaged chain, and of a copy', function()
        shop()
        run.ok('call', 'shop', 'item.put', 'name=cap', 'price=3')
        local path = run.path('shop')
        run.script(('cp -r %s copy'):format(run.quote(path)))
        local copy = run.dir .. '/copy'
        local function of_copy(...)
            return run.ok('schema', 'source', '--path', copy, ...)
        end
        assert.equal(run.read(schema(2)), of_copy('shop'))
        assert.equal(run.read(schema(1)), of_copy('shop', '--version', '1'))
        assert.matches('^schema +shop 2, in force\n', of_copy())
        run.fails(2, 'takes no NAME', 'schema', 'source', '--path', copy,
            'shop', 'shop')
        run.fails(2, 'takes a NAME, or %-%-path', 'schema', 'source')
        -- The last frame: what stands before it is read.
        local size = #run.read(path .. '/1.head')
        run.ok('dev', 'flip-byte', path .. '/1.head', '--offset',
            tostring(size - 100))
        run.fails(8, '', 'call', 'shop', 'item.put', 'name=tie', 'price=1')
        assert.equal(run.read(schema(2)), text('shop'))
        assert.equal(run.read(schema(1)), text('shop', '--version', '1'))
    end)

    -- Whoever published it may have hidden in it what a terminal acts on.
    it('lets nothing loose on a terminal', function()
        local path = schema(1)
        local hidden = run.read(path) .. ' -- \27[2J'
        run.write(path, hidden)
        run.ok('chain', 'create', 'shop', '--schema', path)
        assert.equal(hidden, text('shop'))
        local done = run.shell("script -qec "
            .. "'exec \"$ATE\" schema source shop shop' /dev/null")
        assert.equal(0, done.code, done.err)
        assert.is_nil(done.out:find('\27', 1, true))
        assert.matches('return shop %-%- .+%[2J', done.out)
    end)

    it('is completed', function()
        shop()
        assert.equal('parts.words\n',
            run.ok('complete', 'schema', 'source', 'shop', 'p'))
    end)
end)

describe('the hash that root keys sign', function()
    it('is said by check and by plan', function()
        shop()
        local hash = bundle_of(schema(2))
        assert.equal(64, #hash)
        assert.equal(hash, run.json('schema', 'plan', 'shop', schema(2)).bundle)
        local done = run.ate('schema', 'plan', 'shop', schema(3), '--json')
        assert.equal(5, done.code, done.err)
        assert.equal(bundle_of(schema(3)),
            ate.json.decode(done.out).bundle)
        run.ok('schema', 'apply', 'shop', schema(3))
        assert.equal(bundle_of(schema(3)),
            run.json('chain', 'info', 'shop').bundle)
    end)
end)

describe('source in scripts', function()
    it('is a read beside schema', function()
        shop()
        local folder = assert(ate.open(run.data))
        local chain = folder:chain('shop')
        assert.equal('shop', assert(chain:source()).main)
        assert.equal(run.read(schema(2)), assert(chain:source('shop')).source)
        assert.equal(run.read(schema(1)),
            assert(chain:source('shop', {version = 1})).source)
        local found, err = chain:source('nix')
        assert.is_nil(found)
        assert.equal('NOT_FOUND', err.code)
        assert.has_error(function() chain:source({}) end)
        folder:close()
    end)
end)

if not run.is_without('rest') then
    describe('source by REST', function()
        it('is the text, or what is known of it', function()
            shop()
            rest.script([[
                open_rest
                S=$U/v1/shop/source
                ask "$S"
                want 200 '"main":"shop"' '"in_force":true' '"version":2' \
                    '"name":"parts.words"' '"standard":true'
                ask "$S/shop"; want 200
                cmp body v2/shop.lua || fail 'version 2'
                [ "$(header content-type)" = 'text/plain; charset=utf-8' ] ||
                    fail "$(told)"
                etag=$(header etag)
                ask -H "If-None-Match: $etag" "$S/shop"; want 304
                ask "$S/shop?version=1"; want 200
                cmp body v1/shop.lua || fail 'version 1'
                [ "$(header etag)" != "$etag" ] || fail 'one tag for two'
                ask "$S/parts.words"; want 200 "is too dear"
                ask -H 'Accept: application/json' "$S/shop"
                want 200 '"source":"local ate' '"sha256":"' '"bundle":"'
                ask "$S/shpo"
                want 404 '"code":"NOT_FOUND"' "did you mean 'shop'?"
                ask "$S/shop?version=9"; want 404 'there are 2, 1'
                ask "$S/shop?version=x"; want 400 "version"
                ask "$S/shop?versio=1"; want 400 'version'
                ask -X POST "$S"; want 405
                ask -H 'Accept: image/png' "$S/shop"; want 406
                ask "$U/v1/shop/openapi.json"
                want 200 '"listSource"' '/v1/shop/source/{module}'
                stop
            ]])
        end)
    end)
end
