--- examples/c: programs that link libate as it is installed.
local run = require('helper')

before_each(run.begin)
after_each(run.finish)

describe('a program in C', function()
    it('calls methods and reads views through libate', function()
        local library = os.getenv('ATE_BUILD') or run.root .. '/build'
        local done = run.shell(([[
            set -e
            "$ATE" chain create bank --schema %s/examples/bank/bank.lua
            "$ATE" call bank account.put name=bob owner=me
            "$ATE" call bank account.put name=eve owner=me
            cc -Wall -Wextra -Werror -I%s/engine %s/examples/c/bank.c -L%s \
                -late -lmsgpackc -o bank
            LD_LIBRARY_PATH=%s ./bank "$ATE_DATA"
        ]]):format(run.root, run.root, run.root, library, library))
        assert.equal('', done.err)
        assert.equal(0, done.code)
        assert.matches('"account"=>"eve", "amount"=>"1.00"', done.out)
    end)

    it('calls from many threads, in sixty lines', function()
        local library = os.getenv('ATE_BUILD') or run.root .. '/build'
        local done = run.shell(([[
            set -e
            "$ATE" chain create hello --schema %s/examples/hello/hello.lua
            cc -pthread -Wall -Wextra -Werror -I%s/engine \
                %s/examples/c/threads.c -L%s -late -lmsgpackc -o threads
            export LD_LIBRARY_PATH=%s
            ./threads "$ATE_DATA" && ./threads "$ATE_DATA"
            ./threads nowhere || echo "exit $?"
        ]]):format(run.root, run.root, run.root, library, library))
        assert.matches('\n[^\n]*nowhere[^\n]*\n$', done.err)
        assert.matches('\n{"times"=>400, "to"=>"world"}'
            .. '{"times"=>800, "to"=>"world"}exit 3\n$', done.out)
        local _, lines = run.read('examples/c/threads.c'):gsub('\n', '')
        assert.is_true(lines <= 60, lines)
    end)

    it('finds what was installed', function()
        local build = os.getenv('ATE_BUILD') or run.root .. '/build'
        local done = run.shell(([[
            set -e
            top=$PWD
            (cd %s && tools/install.sh %s "" "$top/usr" "$top/usr/lib/here")
            export PKG_CONFIG_PATH=$top/usr/lib/here/pkgconfig
            cc $(pkg-config --cflags ate) %s/examples/c/bank.c \
                $(pkg-config --libs ate) -lmsgpackc -o bank
            export LD_LIBRARY_PATH=$(pkg-config --variable=libdir ate)
            ./bank nowhere || echo "exit $?"
            echo "ate $(pkg-config --modversion ate)"
            usr/bin/ate --version
            luajit -e "package.cpath = '$top/usr/lib/here/lua/5.1/?.so'
                print('ate ' .. require('ate').version)"
            cd usr && find share -type f ! -name 'ate-*.1' | LC_ALL=C sort
            for name in $("$ATE" complete ''); do
                [ -s "share/man/man1/ate-$name.1" ] || echo "no page $name"
            done
            ls lib/systemd/system
            bin/ate config check --config etc/ate/ate.conf.lua
            grep -h ^ExecStart= lib/systemd/system/ate.service
        ]]):format(run.root, build, run.root))
        assert.equal(0, done.code, done.err)
        local version = run.ok('--version')
        assert.equal('exit 3\n' .. version .. version .. version
            .. 'share/ate/luacheckrc\nshare/ate/luals/ate.lua\n'
            .. 'share/ate/luals/ate/test.lua\nshare/ate/luals/sandbox.lua\n'
            .. 'share/bash-completion/completions/ate\n'
            .. 'share/fish/vendor_completions.d/ate.fish\n'
            .. 'share/man/man1/ate.1\nshare/man/man5/ate-format.5\n'
            .. 'share/man/man5/ate.conf.5\nshare/zsh/site-functions/_ate\n'
            .. 'ate.service\nate.socket\netc/ate/ate.conf.lua: ok\n'
            .. 'ExecStart=' .. run.dir .. '/usr/bin/ate serve --data '
            .. '/var/lib/ate --config ' .. run.dir
            .. '/usr/etc/ate/ate.conf.lua\n', done.out)
    end)

    it('is told why a folder cannot be opened', function()
        local library = os.getenv('ATE_BUILD') or run.root .. '/build'
        local done = run.shell(([[
            cc -I%s/engine %s/examples/c/bank.c -L%s -late -lmsgpackc -o bank
            LD_LIBRARY_PATH=%s ./bank nowhere
        ]]):format(run.root, run.root, library, library))
        assert.matches('nowhere', done.err)
        assert.equal(3, done.code)
    end)
end)
