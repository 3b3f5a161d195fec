--- checker/ beside the engine, over all chains that tests left and copies that
-- were damaged. tests/run runs this spec last, when the others have left theirs.
local helper = require('helper')

local root = helper.root .. '/'
local ate = os.getenv('ATE') or (os.getenv('ATE_BUILD') or root .. 'build') .. '/ate'
local read = helper.read

describe('checker beside the engine', function()
    local folder

    --- Run a line of shell: exit code, stdout, stderr.
    local function sh(line)
        os.execute(('export ATE=%s; ( %s ) >%s/out 2>%s/err; echo $? >%s/code')
            :format(ate, line, folder, folder, folder))
        return tonumber(read(folder .. '/code')), read(folder .. '/out'),
            read(folder .. '/err')
    end

    before_each(function()
        helper.begin()
        folder = helper.dir
    end)

    after_each(helper.finish)

    --- Where tests left chains; some, when this spec runs alone.
    local function left()
        local place = os.getenv('ATE_DUMP')
        if place ~= nil and select(2, sh('ls ' .. place)):find('test_rights', 1, true) then
            return place
        end
        for _, name in ipairs({'authority', 'delegation', 'order', 'proposal',
            'rights', 'roots', 'seen', 'signers', 'submit'}) do
            assert.equal(0, (sh(('mkdir -p %s/left && cd %s. && ATE_DUMP=%s/left '
                .. '$(dirname "$ATE")/tests/unit/test_%s 2>&1')
                :format(folder, root, folder, name))))
        end
        return folder .. '/left'
    end

    -- Both cores; the seeds are printed, and stand in the error.
    it('judges as the engine does', function()
        local place = left()
        local code, out, err = sh(([[
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
