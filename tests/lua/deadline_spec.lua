--- One deadline for what a command does one after the other.
local ate = require('ate')
local deadline = require('ate.cli.deadline')

describe('a deadline', function()
    it('is counted from its start, and never down to none', function()
        local left = deadline.start(1)
        local began = ate.host.clock()
        repeat until ate.host.clock() - began > 2
        assert.equal(1, left())
        left = deadline.start(1e9)
        local before = left()
        assert.is_true(before <= 1e9 and before > 0)
        assert.equal(before, math.floor(before))
        assert.is_true(left() <= before)
    end)

    it('that nobody gave is none', function()
        assert.is_nil(deadline.start(nil)())
    end)

    it('is named as it was given', function()
        local err = ate.error('CANCELED', 'x: the deadline of 288 ms passed; y')
        assert.equal('x: the deadline of 300 ms passed; y',
            deadline.named(err, 300).text)
        err = ate.error('REFUSED', 'the deadline of 288 ms passed')
        assert.equal('the deadline of 288 ms passed',
            deadline.named(err, 300).text)
        err = ate.error('CANCELED', 'the deadline of 288 ms passed')
        assert.equal('the deadline of 288 ms passed',
            deadline.named(err, nil).text)
    end)
end)
