--- What fuzzers found and learned, given to each of their targets again, and
-- each of it with changes by chance; the seed stands in what a failure shows.
local h = require('helper')

local TIMES = 50 * (tonumber(os.getenv('SOAK')) or 1)
local CORPUS = h.root .. '/tests/fuzz/corpus'

describe('the corpus of', function()
    before_each(h.begin)
    after_each(h.finish)

    local targets = io.popen(('cd %s/tests/fuzz && ls fuzz_*.c')
        :format(h.root)):read('*a')
    local doors = {door = 'fuse', rest = 'rest'} -- what may be left out
    for target in targets:gmatch('fuzz_([%w_]+)%.c') do
        local is_left_out = doors[target] and h.is_without(doors[target])
        local play = is_left_out and pending or it
        play(target .. ' is played', function()
            local done = h.shell(('cd %s && '
                .. '"$(dirname "$ATE")"/tests/replay/%s -n %d %s/%s'):format(h.root, target, TIMES, CORPUS,
                target))
            assert.equal(0, done.code, done.err:sub(-2000))
            local count = tonumber(done.out:match('^(%d+) inputs\n$'))
            assert.is_true(count >= 5, target .. ': ' .. done.out)
        end)
    end

    it('accept can be made anew, each seed accepted or refused as it was',
        function()
            local done = h.shell(('cd %s && ATE_SEEDS=%s '
                .. '"$(dirname "$ATE")"/tests/replay/accept'):format(h.root,
                h.dir))
            assert.equal(0, done.code, done.err:sub(-2000))
        end)
end)
