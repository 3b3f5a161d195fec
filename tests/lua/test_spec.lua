local ate = require('ate')
local bench = require('ate.test.bench')
local compare = require('ate.test.compare')
local moment = require('ate.test.moment')

describe('a span', function()
    it('is a number and a unit, or several', function()
        assert.equal(2 * 86400e3, moment.span('2 days'))
        assert.equal(5400e3, moment.span('1 hour 30 minutes'))
        assert.equal(1500, moment.span('1.5s'))
        assert.equal(10, moment.span(10))
    end)

    it('is nothing else', function()
        for _, text in ipairs({'', 'soon', '2 moons', '2', '2 days ago', -1,
            true}) do
            assert.is_nil(moment.span(text))
        end
    end)
end)

describe('a time', function()
    it('is a date or a moment of UTC', function()
        assert.equal(0, moment.time('1970-01-01'))
        assert.equal(1772359200000, moment.time('2026-03-01T10:00:00Z'))
        assert.equal(1709164800000, moment.time('2024-02-29'))
        assert.equal(951782400000 + 1500, moment.time('2000-02-29T00:00:01.5Z'))
        assert.is_nil(moment.time('2026-3-1'))
        assert.is_nil(moment.time('2026-03-01T10:00:00+01:00'))
    end)

    it('is shown as it is read', function()
        local text = '2026-03-01T10:00:00.250Z'
        assert.equal(text, moment.text(moment.time(text)))
    end)
end)

describe('a comparison', function()
    it('says where values differ', function()
        local where, got, expected = compare.difference(
            {{account = 'a', amount = '1'}}, {{account = 'a', amount = '2'}})
        assert.same({'[1].amount', '1', '2'}, {where, got, expected})
        assert.equal('[2]', (compare.difference({1, 2}, {1})))
        assert.equal('[2]', (compare.difference({1}, {1, 2})))
    end)

    it('leaves out id and _ unless they are expected', function()
        local row = {id = 'x', _ = {at = '1.0'}, name = 'a'}
        assert.is_nil((compare.difference({row}, {{name = 'a'}})))
        assert.equal('[1].id',
            (compare.difference({row}, {{name = 'a', id = 'y'}})))
    end)

    it('takes null for nothing', function()
        assert.is_nil((compare.difference({a = ate.null}, {})))
    end)

    it('shows values as Lua writes them', function()
        assert.equal("{a = 'x', b = {1, 2}, ['c d'] = true}",
            compare.show({b = {1, 2}, a = 'x', ['c d'] = true}))
    end)
end)

--- The session of a bench, but `change` what its reads of one kind give.
local function lying(t, kind, change)
    local real = t.session
    t.session = setmetatable({
        read = function(_, chain, what, ...)
            local answer, err = real:read(chain, what, ...)
            if what == kind then
                change(answer)
            end
            return answer, err
        end,
    }, {__index = function(_, name)
        return function(_, ...)
            return real[name](real, ...)
        end
    end})
end

describe('the replay behind a test', function()
    local function replay_of(kind, change)
        local t = assert(bench.new({path = 'examples/hello/hello.lua'}, {}))
        t:user('me'):call('greeting.append', {to = 'world'})
        if kind ~= nil then
            lying(t, kind, change)
        end
        local report, err = t:replay()
        t:close()
        return report, err
    end

    it('is told when it comes to something else', function()
        assert.is_truthy(replay_of())
        local other = ('0'):rep(64)
        local report, err = replay_of('verify', function(answer)
            answer.state = other
        end)
        assert.is_nil(report)
        assert.matches('^the state root of the replay is 0+, not %x+$', err.text)
        report, err = replay_of('verify', function(answer)
            answer.root = other
        end)
        assert.is_nil(report)
        assert.matches('^the root of the replay is 0+, not %x+$', err.text)
    end)

    it('is none when there is nothing to compare', function()
        local report, err = replay_of('info', function(answer)
            answer.state_root = nil
        end)
        assert.is_nil(report)
        assert.matches('^the state root of the replay is %x+, not nil$', err.text)
    end)
end)
