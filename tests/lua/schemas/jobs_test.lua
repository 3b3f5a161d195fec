local test = require('ate.test')
test.schema('jobs.lua')

local function bank(t, answers)
    local asked = {}
    t:service('bank', function(request, about)
        asked[#asked + 1] = {request = request, key = about.key}
        local answer = table.remove(answers, 1)
        if type(answer) == 'string' then
            return nil, answer
        end
        return answer
    end)
    return asked
end

test.it('every order is noted and paid once', function(t)
    local me = t:user('me')
    me:call('placed.append', {name = 'a', pieces = 3, wishes = 'red'})
    local asked = bank(t, {{number = 'n7'}, {receipt = 'r'}})
    t:equal(t:works(), 2)
    t:equal(t:list('paid')[1].number, 'n7')
    t:equal(t:list('paid')[1].receipt, 'r')
    t:equal(t:list('noted')[1].what, 'red')
    t:equal(asked[1].request, {pay = 3, to = 'a'})
    t:equal(asked[2].request, {send = 'n7'})
    t:equal(t:works(), 0)
    t:equal(#asked, 2)
end)

test.it('what fails is asked again, with the same key', function(t)
    local me = t:user('me')
    me:call('placed.append', {name = 'a', pieces = 3})
    local asked = bank(t, {'shut', 'shut', {number = 'n7'}, {receipt = 'r'}})
    for _ = 1, 2 do
        local did = t:work()
        t:equal(did.failed, 1)
        t:equal(did.failures[1].worker, 'pay')
        t:equal(did.failures[1].text, 'shut')
    end
    t:equal(#t:waiting(), 1)
    t:equal(t:works(), 1)
    t:equal(asked[1].key, asked[2].key)
    t:equal(asked[1].key, asked[3].key)
    t:ok(asked[3].key ~= asked[4].key)
    t:equal(#t:list('paid'), 1)
end)

test.it('what goes on failing is parked', function(t)
    local me = t:user('me')
    me:call('placed.append', {name = 'a', pieces = 3})
    local is_shut = true
    t:service('bank', function(request)
        if is_shut then
            return nil, 'shut'
        end
        return request.send and {receipt = 'r'} or {number = 'n'}
    end)
    local passes = 0
    repeat
        local did = t:work('pay')
        passes = passes + 1
    until did.parked > 0
    t:equal(passes, 12)
    local parked = t:waiting({parked = true})
    t:equal(#parked, 1)
    t:equal(parked[1].why, 'shut')
    t:equal(parked[1].what, 'placed/a')
    t:equal(t:works('pay'), 0)
    is_shut = false
    me:call('ate.retry', {parked = parked[1].parked})
    t:equal(t:works('pay'), 1)
    t:equal(#t:list('paid'), 1)
end)

test.it('a refusal is tried again, a mistake is parked', function(t)
    local me = t:user('me')
    me:call('placed.append', {name = 'a', pieces = 0})
    local did = t:work('note')
    t:equal(did.failures[1].code, 'REFUSED')
    t:equal(did.failed, 1)
    t:service('bank', function() return {nothing = true} end)
    me:call('placed.append', {name = 'b', pieces = 1})
    t:equal(t:work('pay').failures[1].code, 'INVALID')
    t:equal(#t:waiting({worker = 'pay', parked = true}), 1)
    me:call('ate.drop', {parked = t:waiting({parked = true})[1].parked})
    t:equal(#t:waiting({worker = 'pay'}), 0)
end)

test.it('orders are closed when their time has passed', function(t)
    local me = t:user('me')
    me:call('placed.append', {name = 'a', pieces = 1, till = '2026-01-01T01:00:00Z'})
    me:call('placed.append', {name = 'b', pieces = 1, till = '2026-01-02'})
    t:equal(t:works('close'), 0)
    t:advance('1 hour')
    t:equal(t:works('close'), 1)
    t:equal(t:list('closed')[1].placed, 'a')
    t:equal(t:works('close'), 0)
    t:equal(t:view('open')[1].placed, 'b')
    t:at('2026-01-02')
    t:equal(t:works('close'), 1)
end)

test.it('shelves are watched', function(t)
    local me = t:user('me')
    me:call('shelf.put', {name = 's'})
    me:call('shelf.put', {name = 's', pieces = 2})
    me:call('shelf.delete', {name = 's'})
    t:equal(t:works(), 3)
    local how = {}
    for i, saw in ipairs(t:list('saw')) do
        how[i] = saw.how .. saw.pieces
    end
    t:equal(how, {'new0', 'edit2', 'delete2'})
end)

test.it('nobody else works', function(t)
    local me = t:user('me')
    me:call('placed.append', {name = 'a', pieces = 1})
    t:fails('DENIED', me, 'ate.park', {worker = 'jobs.note', why = 'no',
        item = test.bin('\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1')})
    t:refused('nothing_to_note', me, 'noted.append', (function()
        me:call('placed.append', {name = 'b', pieces = 0})
        return {placed = 'b', what = 'x'}
    end)())
end)
