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
