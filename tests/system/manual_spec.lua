--- The manual and the completion of shells: both are the table of commands.
local run = require('helper')

before_each(run.begin)
after_each(run.finish)

describe('the manual', function()
    it('is what the table of commands says', function()
        local page = run.ok('help', '--mdoc')
        assert(run.read('docs/ate.1') == page,
            'docs/ate.1 is old: build/ate help --mdoc >docs/ate.1')
        local done = run.shell('mandoc -Tlint -Wwarning "' .. run.root
            .. '/docs/ate.1"')
        assert.equal('', done.out .. done.err)
    end)

    it('has a page for each command, and one for the configuration', function()
        local done = run.shell([[
            for name in $("$ATE" complete '') ate.conf; do
                "$ATE" help --mdoc "$name" >page && [ -s page ] ||
                    echo "no page $name"
                mandoc -Tlint -Wwarning page
            done
            "$ATE" help --mdoc chain | mandoc -Tutf8 | sed 's/.\x08//g'
            mandoc -Tlint -Wwarning ']] .. run.root .. [[/docs/ate-format.5'
        ]])
        assert.equal('', done.err)
        assert.matches('^ATE%-CHAIN%(1%)', done.out)
        assert.matches('ate chain create NAME', (done.out:gsub('.\b', '')))
        local page = run.ok('help', '--mdoc', 'ate.conf')
        local function named(keys, above)
            for _, key in ipairs(keys) do
                local name = above .. key.name
                if key.keys ~= nil then
                    named(key.keys, name .. '.')
                else
                    assert(page:find('\n.It Ic ' .. name .. '\n', 1, true), name)
                end
            end
        end
        named(require('ate.client.config').KEYS, '')
        run.fails(2, '"chian" is no command of ate; did you mean', 'help', '--mdoc',
            'chian')
    end)

    it('shows examples as they are typed', function()
        local page = run.shell('mandoc -Tutf8 -Owidth=300 ' .. run.quote(
            run.root .. '/docs/ate.1')).out:gsub('.\b', '')
        local commands = require('ate.cli.table_of_commands')
        local count = 0
        for _, entry in ipairs(commands.each()) do
            for _, example in ipairs(entry.command.examples or {}) do
                assert(page:find(' ' .. example .. '\n', 1, true), example)
                count = count + 1
            end
        end
        assert.is_true(count > 30)
    end)
end)

describe('completion', function()
    it('has a script for each shell', function()
        for _, shell in ipairs({'bash', 'zsh', 'fish'}) do
            assert.matches('ate complete %-%-', run.ok('completion', shell))
        end
        run.fails(2, '"tcsh" is no shell that can complete; there are: bash, '
            .. 'fish, zsh', 'completion', 'tcsh')
        local done = run.shell('"$ATE" completion bash | bash -n')
        assert.equal(0, done.code)
    end)

    it('offers commands, chains, methods, fields', function()
        run.bank()
        assert.equal('chain\ncheck\n', run.ok('complete', 'ch'))
        assert.equal('bank\n', run.ok('complete', 'call', ''))
        assert.equal('account.put\n',
            run.ok('complete', 'call', 'bank', 'account.p'))
        assert.equal('from=\n',
            run.ok('complete', 'call', 'bank', 'transfer', 'f'))
        assert.equal('balance\n', run.ok('complete', 'view', 'bank', ''))
        assert.equal('', run.ok('complete', 'nosuch', ''))
    end)

    it('knows every command, verb and option', function()
        local commands = require('ate.cli.table_of_commands')
        local script, expected = {}, {}
        for _, entry in ipairs(commands.each()) do
            if not entry.command.hidden then
                script[#script + 1] = ('"$ATE" complete -- %s --'):format(
                    entry.words)
                script[#script + 1] = 'echo .'
                local words = {'--data', '--help', '--json'}
                for _, option in ipairs(entry.command.options or {}) do
                    words[#words + 1] = '--' .. option.name
                end
                table.sort(words)
                expected[#expected + 1] = table.concat(words, '\n') .. '\n.\n'
            end
        end
        assert.equal(table.concat(expected),
            run.shell(table.concat(script, '\n')).out)
        assert.equal('json\nlogfmt\n', run.ok('complete', '--', 'serve',
            '--log', ''))
    end)

    -- Whoever makes a chain chooses its name, and others press TAB.
    local NAMES = {'$(touch p)', '*', 'a b', 'a:b', "it's", 'bank'}

    local function make_chains()
        run.bank_schema()
        local script = {'set -e; mkdir bin; ln -s "$ATE" bin/ate'}
        for _, name in ipairs(NAMES) do
            script[#script + 1] = '"$ATE" chain create --schema bank.lua -- '
                .. run.quote(name)
        end
        local done = run.shell(table.concat(script, '\n'))
        assert.equal(0, done.code, done.err)
    end

    --- Run a script of another shell; what it prints.
    local function in_shell(shell, script)
        run.write(run.dir .. '/typed', script)
        local done = run.shell('LC_ALL=C.UTF-8 PATH=$PWD/bin:$PATH ' .. shell
            .. ' ./typed')
        assert.equal('', done.err)
        assert.is_nil(io.open(run.dir .. '/p'), shell .. ' ran a name')
        return done.out
    end

    it('works in bash, and runs no names', function()
        make_chains()
        assert.equal('<$(touch p)><*><a b><a:b><bank><it\'s>\n'
            .. '<b>\n<$(touch p)>\n<balance>\n<a:b>\n<bank>\n<to=>\n',
            in_shell('bash', [[
            compopt() { :; }
            source <(ate completion bash)
            complete_words() {
                COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
                _ate
                eval "set -- ${COMPREPLY[*]}" # as if the line were run
                printf '<%s>' "$@"
                echo
            }
            complete_words ate view ''
            complete_words ate view a : ''
            complete_words ate view '\$'
            complete_words ate view '\$\(touch\ p\)' ''
            complete_words ate view "'a:"
            complete_words ate view "'ba"
            complete_words ate call bank transfer from = alice t
            ]]))
    end)

    it('works in zsh, and runs no names', function()
        make_chains()
        assert.equal('<-S><><--><--><$(touch p)><*><a b><a:b><bank><it\'s>\n'
            .. '<-S><><--><--><balance>\n<-S><><--><to=><-->\n',
            in_shell('zsh -f', [[
            compdef() { : }
            compadd() { printf '<%s>' "$@" } # which quotes what it inserts
            source <(ate completion zsh)
            complete_words() {
                words=("$@") CURRENT=$#
                _ate
                echo
            }
            complete_words ate view ''
            complete_words ate view '\$\(touch\ p\)' ''
            complete_words ate call bank transfer from=alice t
            ]]))
    end)

    it('works in fish, and runs no names', function()
        make_chains()
        assert.equal('$(touch p)\n*\na b\na:b\nbank\nit\'s\n'
            .. '$(touch p)\nbalance\nto=\nfile.lua\n',
            in_shell('fish --no-config', [[
            ate completion fish | source
            touch file.lua
            complete -C 'ate view '
            complete -C 'ate view \$'
            complete -C 'ate view \$\(touch\ p\) '
            complete -C 'ate call bank transfer from=alice t'
            complete -C 'ate check f'
            ]]))
    end)
end)
