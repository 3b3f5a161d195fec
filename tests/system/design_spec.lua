--- How the sources are put together; `make check` runs the rest of tests/check.
local run = require('helper')

before_each(run.begin)
after_each(run.finish)

describe('layers of sources', function()
    it('keep to the seam, the layers and the exports', function()
        local build = os.getenv('ATE_BUILD') or run.root .. '/build'
        local done = run.shell(('cd %s && tests/check %s quick')
            :format(run.quote(run.root), run.quote(build)))
        assert.equal('', done.err)
        assert.is_nil(done.out:find('FAIL', 1, true), done.out)
        assert.equal(0, done.code)
    end)

    it('stand on each other as ARCHITECTURE.md has it', function()
        local told, held = {}, {}
        for layer, below in run.read(run.root .. '/docs/ARCHITECTURE.md')
            :gmatch('\n| `([a-z]+)` | [^|]* | ([^|]*) |') do
            told[layer] = below:gsub('[`, ]+', ' '):match('^ ?(.-) ?$')
        end
        for layers, below in run.read(run.root .. '/tests/check')
            :gmatch('\n    ([a-z |]+)%) echo ([a-z ]+) ;;') do
            for layer in layers:gmatch('%a+') do
                held[layer] = below
            end
        end
        assert.equal('acceptance upload', told.chain)
        told.base, held.io = nil, nil
        assert.same(held, told)
    end)
end)
