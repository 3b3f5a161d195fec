--- Bodies of any size: put from files, read into files, gone on with, damaged.
--
-- `serve` of the scripts starts the daemon and returns when it is ready. What
-- a script starts it ends, and nothing else.
local run = require('helper')

local SCHEMA = [[
local ate = require('ate')
local t = ate.types
local files = ate.schema('files', {doc = 'Files.', version = 1,
    bodies = 'open'})
files:object('file', {
    doc = 'A file.',
    key = {'name'},
    header = {name = t.name({max = 40})},
    body = t.blob({max = 68719476736}),
})
files:object('note', {
    doc = 'A note.',
    key = {'name'},
    header = {name = t.name({max = 40})},
    body = t.text({max = 1000000}),
})
return files
]]

local PRELUDE = run.PRELUDE .. [[
id=00112233445566778899aabbccddeeff
name=big
# begin FILE: put it, and kill who does as soon as some of it is there.
begin() {
    "$ATE" call files file.put name=$name --body "$1" --upload-id $id \
        >/dev/null 2>begin.err &
    writer=$!
    children="$children $writer"
    await eval '[ -s "$folder/put/$id" ] || ! kill -0 $writer'
}
# go_on FILE: the rest of it.
go_on() {
    "$ATE" call files file.put name=$name --body "$1" --upload-id $id >/dev/null
}
same() {
    "$ATE" get files file $name --body got && cmp "$1" got && echo same
}
]]

local function script(text)
    local done = run.shell(PRELUDE .. text)
    if done.code ~= 77 then
        assert(done.code == 0, ('exit %d\nstdout: %s\nstderr: %s'):format(
            done.code, done.out, done.err))
    end
    return done
end

local function write_file(name, bytes)
    assert(os.execute(('openssl enc -aes-128-ctr -K 00 -iv 00 -nosalt '
        .. '-in /dev/zero 2>/dev/null | head -c %d >%s/%s'):format(bytes,
        run.dir, name)) ~= nil)
    assert.equal(bytes, #run.read(run.dir .. '/' .. name))
end

before_each(function()
    run.begin()
    run.write(run.dir .. '/files.lua', SCHEMA)
    run.ok('chain', 'create', 'files', '--schema', run.dir .. '/files.lua')
end)
after_each(run.finish)

local function path(name)
    return run.dir .. '/' .. name
end

-- The file of the one large body.
local function large()
    local folder = run.path('files') .. '/large'
    local pipe = io.popen('ls ' .. folder)
    local name = pipe:read('*l')
    pipe:close()
    return folder .. '/' .. assert(name, 'no large body')
end

describe('a body', function()
    it('of any size comes back as it was given', function()
        for _, size in ipairs({0, 1, 1024, 1025, 65535, 65536, 65537, 131072,
            1048576, 3000001}) do
            write_file('given', size)
            run.ok('call', 'files', 'file.put', 'name=a', '--body',
                path('given'))
            if size > 0 then
                run.ok('get', 'files', 'file', 'a', '--body', path('got'))
                assert.is_true(run.read(path('given')) == run.read(path('got')),
                    size .. ' bytes')
            else
                run.fails(3, 'has no body', 'get', 'files', 'file', 'a',
                    '--body', path('got'))
            end
            assert.is_nil(io.open(path('got.part')))
        end
        run.ok('chain', 'verify', 'files')
    end)

    it('comes from stdin and goes to stdout', function()
        write_file('given', 200000)
        local done = script([[
            cat given | "$ATE" call files file.put name=a --body - || exit
            cat given | "$ATE" call files file.put name=a --body - \
                --upload-id $id
            echo $?
            head -c 10 given | "$ATE" call files file.put name=b --body - || exit
            "$ATE" get files file a --body - | cmp - given &&
            "$ATE" get files file a --range 65530:12 --body - >range &&
            tail -c +65531 given | head -c 12 | cmp - range &&
            "$ATE" get files file a --range :7 --body - | cmp -n 7 - given &&
            "$ATE" get files file a --range 199999: --body - | wc -c
            "$ATE" get files file a --range 200001: --body - | wc -c
            "$ATE" get files file b --range 3:4 --body - | wc -c
            ls
        ]])
        assert.matches('\n2\n.*\n1\n0\n4\n', done.out)
        assert.matches('cannot be read twice', done.err)
        assert.is_nil(done.out:find('.part', 1, true))
        run.fails(2, '%-%-range is FROM:COUNT', 'get', 'files', 'file', 'a',
            '--body', '-', '--range', '5')
    end)

    it('that is large is shown as its hash and length', function()
        write_file('given', 200000)
        run.ok('call', 'files', 'file.put', 'name=a', '--body', path('given'))
        local body = run.json('get', 'files', 'file', 'a').body
        assert.equal(200000, body.length)
        assert.matches('^%x+$', body.hash)
        assert.equal(64, #body.hash)
        local args = '{"name":"%s","body":{"hash":"%s","length":%d}}'
        run.ok('call', 'files', 'file.put', '--args', args:format('b',
            body.hash, body.length))
        assert.same(body, run.json('get', 'files', 'file', 'b').body)
        assert.same(body, run.json('list', 'files', 'file')[2].body)
        run.fails(3, 'nobody put its body', 'call', 'files', 'file.put',
            '--args', args:format('c', body.hash:reverse(), body.length))
        run.ok('call', 'files', 'file.delete', 'name=a')
        run.ok('get', 'files', 'file', 'b', '--body', path('got'))
        assert.is_true(run.read(path('given')) == run.read(path('got')))
    end)

    it('that cannot be is refused', function()
        write_file('given', 70000)
        local function fails(code, pattern, ...)
            run.fails(code, pattern, 'call', 'files', ...)
        end
        fails(2, 'body is text, of at most 65536 bytes', 'note.put', 'name=a',
            '--body', path('given'))
        fails(3, 'No such file', 'file.put', 'name=a', '--body', path('none'))
        fails(2, '^ate: call: %-%-body: /: is a folder; %- reads stdin\n$',
            'file.put', 'name=a', '--body', '/')
        fails(2, 'given twice', 'file.put', 'name=a', 'body=x', '--body',
            path('given'))
        fails(2, '32 hexadecimal digits', 'file.put', 'name=a', '--body',
            path('given'), '--upload-id', '12')
        fails(2, 'not one that is a blob', 'file.delete', 'name=a', '--body',
            path('given'))
        run.fails(3, 'no', 'get', 'files', 'file', 'a', '--body', path('got'))
        assert.is_nil(io.open(path('got')))
    end)

    it('replaces a file only when all of it came', function()
        write_file('given', 200000)
        run.ok('call', 'files', 'file.put', 'name=a', '--body', path('given'))
        run.write(path('got'), 'old')
        run.ok('dev', 'flip-byte', large(), '--offset', '140000')
        run.fails(8, 'the piece at offset 131072 is not what its hash says',
            'get', 'files', 'file', 'a', '--body', path('got'))
        assert.equal('old', run.read(path('got')))
        assert.is_nil(io.open(path('got.part')))
        run.ok('dev', 'flip-byte', large(), '--offset', '140000')
        assert.equal(0, os.execute('mkdir ' .. path('folder')))
        run.fails(2, 'is a folder', 'get', 'files', 'file', 'a', '--body',
            path('folder'))
        assert.is_nil(io.open(path('folder.part')))
        local done = script([[
            "$ATE" get files file a --body - >/dev/full
            echo $?
        ]])
        assert.equal('1\n', done.out)
        assert.matches('ate: .*[Ss]pace', done.err)
    end)
end)

describe('an upload that was killed', function()
    local SIZE = 64 * 1048576

    it('goes on without a daemon', function()
        write_file('given', SIZE)
        local done = script([[
            folder=$("$ATE" chain path files)
            begin given
            kill -KILL $writer
            wait $writer
            go_on given && same given
            "$ATE" chain verify files >/dev/null && ls "$folder/put"
        ]])
        assert.equal('same\n', done.out)
    end)

    it('goes on at a daemon, whoever was killed', function()
        write_file('given', SIZE)
        local done = script([[
            folder=$("$ATE" chain path files)
            serve
            begin given
            kill -KILL $writer
            wait $writer
            go_on given && same given
            rm -f got
            name=bigger
            printf x >>given # another file
            id=ffffffffffffffffffffffffffffffff
            begin given
            kill -KILL "$daemon"
            wait "$daemon"
            wait $writer
            serve
            go_on given && same given
            stop
            "$ATE" chain verify files >/dev/null && ls "$folder/put"
        ]])
        assert.equal('same\nsame\n', done.out)
    end)

    it('does not go on with another file', function()
        write_file('given', SIZE)
        write_file('other', SIZE)
        local done = script([[
            folder=$("$ATE" chain path files)
            begin given
            kill -STOP $writer
            kill -KILL $writer
            wait $writer
            [ -e "$folder/put/$id" ] || exit 78 # it was too fast for us
            printf xxxx | dd of=other conv=notrunc 2>/dev/null
            go_on other
            echo $?
            "$ATE" get files file big --body - | wc -c
            go_on other && same other
        ]] .. '\n')
        assert.matches('^2\n0\nsame\n$', done.out)
        assert.matches('another hash', done.err)
    end)
end)

describe('a full disk', function()
    it('keeps what was put, and goes on with room', function()
        if io.popen('id -u'):read('*l') ~= '0' then
            pending('needs root for a tmpfs')
            return
        end
        write_file('given', 6 * 1048576)
        local done = script([[
            export ATE_DATA=$PWD/small
            mkdir small
            mount -t tmpfs -o size=9m ate-test small || exit 77
            trap 'umount -l small' EXIT
            "$ATE" chain create files --schema files.lua >/dev/null || exit 9
            head -c 5000000 /dev/zero >small/filler
            go_on given
            echo "full $?"
            "$ATE" chain verify files >/dev/null
            echo "verify $?"
            rm small/filler
            go_on given
            echo "again $?"
            same given
        ]])
        if done.code == 77 then
            pending('needs the right to mount a tmpfs')
            return
        end
        assert.equal('full 7\nverify 0\nagain 0\nsame\n', done.out)
        assert.matches('go on with %-%-upload%-id 00112233', done.err)
    end)
end)

describe('a gibibyte', function()
    it('takes little memory', function()
        local done = script([[
            truncate -s 1G given
            most() {
                python3 -c '
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:], stdout=subprocess.DEVNULL)
kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(sys.argv[3], code, "small" if kib < int(sys.argv[1]) else kib)
' "$limit" "$@"
            }
            limit=131072 # KiB; a sanitizer's own is more
            [ -z "${SANITIZED:-}" ] || limit=524288
            serve
            most "$ATE" call files file.put name=big --body given
            most "$ATE" get files file big --body got
            cmp given got && rm got
            peak=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$daemon/status")
            [ "$peak" -lt "$limit" ] && echo small || echo "daemon $peak"
            stop
            most "$ATE" chain verify files
        ]])
        assert.equal('call 0 small\nget 0 small\nsmall\nchain 0 small\n',
            done.out)
    end)
end)

describe('verify', function()
    it('reads the large bodies of a copied folder', function()
        write_file('given', 300000)
        run.ok('call', 'files', 'file.put', 'name=a', '--body', path('given'))
        local name = large():match('[^/]+$')
        local function copy(damage)
            return run.shell('rm -rf copy && cp -r ' .. run.path('files')
                .. ' copy && cd copy/large && { ' .. damage .. '; } && cd ../..'
                .. ' && ATE_DATA=/nonexistent "$ATE" chain verify --path copy')
        end
        assert.equal(0, copy(':').code)
        for _, damage in ipairs({
            {'"$ATE" dev flip-byte %s --offset 0', 'piece at offset 0 '},
            {'"$ATE" dev flip-byte %s --offset 299999', 'at offset 262144 '},
            {'"$ATE" dev flip-byte %s --offset 300005', 'come to its hash'},
            {'truncate -s 300000 %s', 'ends within'},
            {'truncate -s 100 %s', 'ends within'},
            {'truncate -s 0 %s', 'ends within'},
            {'printf x >>%s', 'bytes stand behind its end'},
            {'rm %s', 'missing; put it back'},
        }) do
            local done = copy(damage[1]:format(name))
            assert.is_true(done.code == 8 or done.code == 3,
                damage[1] .. ': ' .. done.code .. done.err)
            assert.matches('large/' .. name, done.err)
            assert.matches(damage[2], done.err)
        end
    end)

    it('says whether a range elsewhere is damaged', function()
        write_file('given', 300000)
        run.ok('call', 'files', 'file.put', 'name=a', '--body', path('given'))
        run.ok('dev', 'flip-byte', large(), '--offset', '200000')
        run.fails(8, 'large/%x+: the piece at offset 196608', 'chain',
            'verify', 'files')
        run.ok('get', 'files', 'file', 'a', '--body', '-', '--range', '0:196608')
        run.ok('get', 'files', 'file', 'a', '--body', '-', '--range', '262144:')
        run.fails(8, 'offset 196608', 'get', 'files', 'file', 'a', '--body',
            '-', '--range', '262143:1')
    end)
end)

-- tests/lua/schemas/films.lua
describe('in Lua a large body', function()
    local function films(...)
        return run.ok('call', 'films', ...)
    end

    local function body_of(name)
        return run.json('get', 'films', 'film', name).body
    end

    before_each(function()
        run.ok('chain', 'create', 'films', '--schema', run.root
            .. '/tests/lua/schemas/films.lua')
        write_file('large', 200000)
        write_file('small', 60000)
    end)

    it('is handed on, has a length and is compared by its hash', function()
        films('show', 'name=a', 'year=1927', '--body', path('large'))
        films('show', 'name=b', 'year=1927', '--body', path('small'))
        films('copy', 'name=c', 'of=a')
        assert.equal(200000, run.json('get', 'films', 'film', 'a').length)
        assert.equal(60000, run.json('get', 'films', 'film', 'b').length)
        assert.same(body_of('a'), body_of('c'))
        write_file('other', 200001)
        films('show', 'name=d', 'year=1927', '--body', path('other'))
        for _, case in ipairs({{'c', 'true'}, {'b', 'false'}, {'d', 'false'}}) do
            assert.equal(case[2] .. '\n', films('same', 'one=a',
                'other=' .. case[1]))
        end
        run.ok('get', 'films', 'film', 'c', '--body', path('got'))
        assert.is_true(run.read(path('large')) == run.read(path('got')))
    end)

    it('is refused by its length, which stands in the header', function()
        write_file('long', 1000001)
        run.fails(6, 'too_long', 'call', 'films', 'show', 'name=a',
            'year=1927', '--body', path('long'))
        run.fails(6, 'no_year', 'call', 'films', 'film.create', 'name=a',
            '--body', path('large'))
        write_file('huge', 10000001)
        -- Here, before any of it is put.
        run.fails(2, '^ate: film%.create: body: [^\n]*/huge has 10000001 '
            .. 'bytes, at most 10000000 are allowed\n$', 'call', 'films',
            'film.create', 'name=a', 'year=1927', '--body', path('huge'))
        run.ok('chain', 'verify', 'films')
    end)

    it('stays where only other fields are patched', function()
        films('film.create', 'name=a', 'year=1927', '--body', path('large'))
        local before = body_of('a')
        films('film.patch', 'name=a', 'year=1928')
        assert.equal(1928, run.json('get', 'films', 'film', 'a').year)
        assert.same(before, body_of('a'))
        films('film.patch', 'name=a', '--body', path('small'))
        assert.equal('string', type(body_of('a')))
        films('film.patch', 'name=a', '--body', path('large'))
        assert.same(before, body_of('a'))
        local history = run.ok('history', 'films', 'film', 'a', '--json')
        assert.matches(before.hash, history)
        run.ok('chain', 'verify', 'films')
    end)

    it('is passed over by views that read bodies', function()
        films('film.create', 'name=a', 'year=1927', '--body', path('large'))
        films('film.create', 'name=b', 'year=1927', '--body', path('small'))
        local rows = run.json('view', 'films', 'seen')
        assert.equal(1, #rows)
        assert.equal('b', rows[1].film)
        assert.equal(60000, rows[1].bytes)
    end)

    it('is nothing that a header may have', function()
        run.fails(1, 'picture: a string of bytes is needed, got a table',
            'call', 'films', 'hang', 'name=a', '--body', path('large'))
        films('film.create', 'name=a', 'year=1927', '--body', path('large'))
    end)

    it('survives another schema', function()
        films('film.create', 'name=a', 'year=1927', '--body', path('large'))
        local schema = run.read(run.root .. '/tests/lua/schemas/films.lua')
        assert.equal(0, os.execute('mkdir ' .. path('next')))
        run.write(path('next/films.lua'), (schema:gsub('version = 1',
            'version = 2'):gsub('reads = \'bodies\',', 'reads = \'bodies\','
            .. ' order = {\'bytes\'},')))
        run.ok('schema', 'apply', 'films', path('next/films.lua'))
        films('copy', 'name=b', 'of=a')
        run.ok('get', 'films', 'film', 'b', '--body', path('got'))
        assert.is_true(run.read(path('large')) == run.read(path('got')))
        assert.matches('all as recorded', run.ok('chain', 'verify', 'films'))
        run.ok('dev', 'flip-byte', (run.path('films') .. '/large/'
            .. body_of('b').hash), '--offset', '5')
        run.fails(8, 'piece at offset 0', 'chain', 'verify', 'films')
    end)
end)
