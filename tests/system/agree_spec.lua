--- checker/ beside the engine, over all chains that tests left and copies that
-- were damaged. tests/run runs this spec last, when the others have left theirs.
local helper = require('helper')

local root = helper.root .. '/'

describe('checker beside the engine', function()
    before_each(helper.begin)
    after_each(helper.finish)

    --- Where tests left chains; some, when this spec runs alone.
    local function left()
        local place = os.getenv('ATE_DUMP')
        local _, chains = helper.line('ls ' .. (place or helper.dir))
        if chains:find('test_rights', 1, true) then
            return place
        end
        for _, name in ipairs({'authority', 'delegation', 'order', 'proposal',
            'rights', 'roots', 'seen', 'signers', 'submit'}) do
            local code, out = helper.line(('mkdir -p %s/left && cd %s. && '
                .. 'ATE_DUMP=%s/left $(dirname "$ATE")/tests/unit/test_%s 2>&1')
                :format(helper.dir, root, helper.dir, name))
            assert(code == 0, out)
        end
        return helper.dir .. '/left'
    end

    -- Both cores; the seeds are printed, and stand in the error.
    it('judges as the engine does', function()
        local place = left()
        local code, out, err = helper.line(([[
            agree() {
                %stests/checker/agree.mjs "$ATE_BUILD" %s --part $1 \
                    --damage %d %s
            }
            agree 1/2 & first=$!
            agree 2/2; code=$?
            wait $first && exit $code]]):format(root, place,
            1000 * (tonumber(os.getenv('SOAK')) or 1),
            os.getenv('SOAK') and '--all' or ''))
        assert.are.equal(0, code, out .. err)
        assert.are.equal('', err)
        local chains, bad, refused = 0, 0, 0
        for n, b, r in out:gmatch('(%d+) chains, (%d+) of them bad.-'
            .. '(%d+) of them refused: 0 judged otherwise') do
            chains, bad, refused = chains + n, bad + b, refused + r
        end
        assert.is_true(chains > 200 and bad > 100 and refused > 400, out)
    end)
end)
