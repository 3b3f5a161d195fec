--- The larger schemas of tests/lua/schemas: their rules are asked, their views
-- read, their methods called.
local run = require('helper')

before_each(run.begin)
after_each(run.finish)

local FOLDER = run.root .. '/tests/lua/schemas/'

describe('the larger schemas', function()
    for _, name in ipairs({'books', 'coins', 'escrow', 'tracker', 'jobs',
        'wages'}) do
        it('pass their tests: ' .. name, function()
            assert.matches('\nreplay equal · .*\n%d+ passed, 0 failed\n$',
                run.ok('test', FOLDER .. name .. '_test.lua'))
        end)

        it('are tried as a whole: ' .. name, function()
            local tests = run.read(FOLDER .. name .. '_test.lua')
            local schema = run.json('check', FOLDER .. name .. '.lua').schema
            local count = 0
            local function expect(list, form)
                for _, item in ipairs(list) do
                    -- Those of other schemas and default methods have a dot.
                    if not item.name:find('.', 1, true) then
                        count = count + 1
                        local text = form:format(item.name)
                        local full = form:format(name .. '.' .. item.name)
                        assert(tests:find(text, 1, true)
                            or tests:find(full, 1, true), text)
                    end
                end
            end
            expect(schema.rules, "t:refused('%s'")
            expect(schema.views, "'%s'")
            expect(schema.methods, "'%s'")
            -- These are about workers, and have little else.
            local few = {jobs = 1, wages = 0}
            assert.is_true(count > (few[name] or 5))
        end)
    end
end)
