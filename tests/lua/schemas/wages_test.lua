local test = require('ate.test')
test.schema('wages.lua')

--- A bank that pays once for each key, as banks do.
local function bank(t)
    local paid, keys = {}, {}
    t:service('bank', function(request, asked)
        if keys[asked.key] == nil then
            paid[#paid + 1] = request.pay
            keys[asked.key] = {number = 'n' .. #paid}
        end
        return keys[asked.key]
    end)
    return paid
end

test.it('who is due at the same time again is paid again', function(t)
    local me, paid = t:user('me'), bank(t)
    for _, pieces in ipairs({5, 7, 7}) do
        me:call('earned.append', {who = 'ann', pieces = pieces, at = '2026-01-01'})
        t:equal(#t:view('due'), 1)
        t:equal(t:works(), 1)
        t:equal(#t:view('due'), 0)
    end
    t:equal(paid, {5, 7, 7})
    t:equal(t:list('paid')[3].number, 'n3')
end)

test.it('what got no answer is asked again, with the same key', function(t)
    local me, keys = t:user('me'), {}
    t:service('bank', function(_, asked)
        keys[#keys + 1] = asked.key
        if #keys == 1 then
            return nil, 'no answer'
        end
        return {number = 'n'}
    end)
    me:call('earned.append', {who = 'ann', pieces = 5, at = '2026-01-01'})
    t:equal(t:work().failed, 1)
    t:equal(t:works(), 1)
    t:equal(keys[1], keys[2])
end)
