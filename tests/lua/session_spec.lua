local session = require('ate.client.session')

--- A session on a node whose answers are those of a list; an empty one is none
-- within the time.
local function session_of(answers)
    local opened = assert(session.open(nil, {memory = true}))
    opened.node:close()
    opened.node = {
        read = function()
            return 1
        end,
        close = function() end,
    }
    opened.port = {
        next = function()
            local answer = assert(table.remove(answers, 1), 'asked too often')
            return next(answer) and answer or nil
        end,
    }
    return opened
end

describe('a chain that opens for long', function()
    it('is told of until its first answer', function()
        local opened = session_of({{}, {}, {call = 1, value = 'row'},
            {call = 1, final = true, value = 'end'},
            {call = 1, final = true, value = 'again'}})
        local told = {}
        opened.on_opening = function(chain, ms)
            assert.is_number(ms)
            told[#told + 1] = chain
        end
        local rows = {}
        assert.equal('end', opened:read('bank', 'view', nil, function(row)
            rows[#rows + 1] = row
        end))
        assert.same({'row'}, rows)
        assert.same({'bank', 'bank'}, told)
        assert.equal('again', opened:read('bank', 'info'))
        assert.same({'bank', 'bank'}, told)
    end)
end)
