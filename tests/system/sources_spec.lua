--- How the sources are put together; `make check` runs the rest of tests/check.
local run = require('helper')

before_each(run.begin)
after_each(run.finish)

describe('the sources', function()
    it('keep to the seam, the layers and the exports', function()
        local build = os.getenv('ATE_BUILD') or run.root .. '/build'
        local done = run.shell(('cd %s && tests/check %s quick')
            :format(run.quote(run.root), run.quote(build)))
        assert.equal('', done.err)
        assert.is_nil(done.out:find('FAIL', 1, true), done.out)
        assert.equal(0, done.code)
    end)
end)
