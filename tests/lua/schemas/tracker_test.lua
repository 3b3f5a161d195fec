local test = require('ate.test')
test.schema('tracker.lua')

--- A project of `me`, who maintains it; ann has no right unless given one.
local function project(t)
    local me = t:user('me')
    me:call('project.create', {slug = 'ate', group = 'me'})
    return me, t:user('ann')
end

local function report(user, title)
    return user:call('report',
        {project = 'ate', title = title, text = 'It is ' .. title .. '.'})
end

local function issue(number, changes)
    local args = {project = 'ate', number = number, state = 'open',
        title = 'Late', text = 'Too late.'}
    for key, value in pairs(changes or {}) do
        args[key] = value
    end
    return args
end

local function titles(rows)
    local list = {}
    for _, row in ipairs(rows) do
        list[#list + 1] = row.title
    end
    return list
end

test.it('issues are numbered one after another', function(t)
    local me = project(t)
    t:equal(report(me, 'slow'), 'ate/1')
    t:equal(report(me, 'loud'), 'ate/2')
    local said = t:refused('number_taken', me, 'issue.create', issue(4))
    t:ok(said:find('the next number is 3, not 4', 1, true), said)
    t:fails('CONFLICT', me, 'issue.create', issue(2))
    me:call('issue.create', issue(3))
    t:equal(t:view('last_number'), {{project = 'ate', number = 3}})
end)

test.it('projects count for themselves', function(t)
    local me = project(t)
    me:call('project.create', {slug = 'tea', group = 'me'})
    report(me, 'slow')
    t:equal(me:call('report', {project = 'tea', title = 'x', text = 'y'}),
        'tea/1')
    t:equal(#t:view('last_number'), 2)
end)

test.it('a number is never given twice', function(t)
    local me = project(t)
    report(me, 'slow')
    me:call('issue.delete', {project = 'ate', number = 1})
    t:equal(t:get('issue', 'ate/1'), nil)
    t:fails('CONFLICT', me, 'issue.create', issue(1))
    t:equal(report(me, 'loud'), 'ate/2')
end)

test.it('issues begin with defaults', function(t)
    local me = project(t)
    report(me, 'slow')
    local first = t:get('issue', 'ate/1')
    t:equal(first.state, 'open')
    t:equal(first.priority, 'normal')
    t:equal(first.labels, {})
    t:equal(first.assignee, nil)
    t:equal(first.text, 'It is slow.')
    me:call('issue.create', issue(2, {labels = {'a', 'b'}, priority = 'high',
        assignee = 'me'}))
    t:equal(t:get('issue', 'ate/2').labels, {'a', 'b'})
    t:fails('INVALID', me, 'issue.create', issue(3, {priority = 'urgent'}))
end)

test.it('who has no right opens, changes and deletes nothing', function(t)
    local me, ann = project(t)
    local said = t:refused('not_allowed', ann, 'report',
        {project = 'ate', title = 'x', text = 'y'})
    t:ok(said:find(' may not new ', 1, true), said)
    report(me, 'slow')
    t:refused('not_allowed', ann, 'move', {issue = 'ate/1', to = 'done'})
    t:refused('not_allowed', ann, 'issue.delete',
        {project = 'ate', number = 1})
    me:call('move', {issue = 'ate/1', to = 'doing'})
    t:equal(t:get('issue', 'ate/1').state, 'doing')
    me:call('issue.delete', {project = 'ate', number = 1})
end)

test.it('reporters open issues, maintainers change them, in their project',
    function(t)
        local me, ann = project(t)
        me:call('project.create', {slug = 'tea', group = 'me'})
        me:call('ate.grant',
            {to = 'ann', rights = {'report'}, object = 'project/ate'})
        report(ann, 'slow')
        t:refused('not_allowed', ann, 'report',
            {project = 'tea', title = 'x', text = 'y'})
        t:refused('not_allowed', ann, 'move', {issue = 'ate/1', to = 'done'})
        local grant = me:call('ate.grant',
            {to = 'ann', rights = {'maintain'}, object = 'project/ate'})
        ann:call('move', {issue = 'ate/1', to = 'done'})
        me:call('ate.revoke', {grant = grant})
        t:refused('not_allowed', ann, 'issue.delete',
            {project = 'ate', number = 1})
    end)

test.it('an assignee changes the issue, and does not delete it', function(t)
    local me, ann = project(t)
    local ben = t:user('ben')
    report(me, 'slow')
    me:call('issue.patch', {id = 'ate/1', assignee = 'ann'})
    ann:call('move', {issue = 'ate/1', to = 'doing'})
    t:refused('not_allowed', ben, 'move', {issue = 'ate/1', to = 'done'})
    t:refused('not_allowed', ann, 'issue.delete', {project = 'ate', number = 1})
    ann:call('issue.patch', {id = 'ate/1', assignee = 'ben'})
    t:refused('not_allowed', ann, 'move', {issue = 'ate/1', to = 'done'})
    ben:call('issue.patch', {id = 'ate/1', assignee = test.null})
    t:refused('not_allowed', ben, 'move', {issue = 'ate/1', to = 'done'})
    t:equal(#t:history('issue', 'ate/1'), 5)
end)

test.it('key and parent stay', function(t)
    local me = project(t)
    me:call('project.create', {slug = 'tea', group = 'me'})
    report(me, 'slow')
    t:fails('INVALID', me, 'issue.patch', {id = 'ate/1', number = 7})
    t:fails('INVALID', me, 'issue.patch', {id = 'ate/1', project = 'tea'})
end)

test.it('the board has the last touched first', function(t)
    local me = project(t)
    for _, title in ipairs({'one', 'two', 'three'}) do
        report(me, title)
        t:advance('1 hour')
    end
    local board = {project = 'ate', state = 'open'}
    t:equal(titles(me:call('board', board)), {'three', 'two', 'one'})
    me:call('issue.patch', {id = 'ate/1', priority = 'high'})
    t:equal(titles(me:call('board', board)), {'one', 'three', 'two'})
    me:call('move', {issue = 'ate/3', to = 'done'})
    t:equal(titles(me:call('board', board)), {'one', 'two'})
    board.state = 'done'
    t:equal(titles(me:call('board', board)), {'three'})
end)

test.it('views follow changes and deletions', function(t)
    local me = project(t)
    report(me, 'one')
    t:equal(t:view('board'), {{project = 'ate', issue = 'ate/1',
        state = 'open', updated = '2026-01-01T00:00:00Z', comments = 0}})
    t:equal(t:view('title'), {{issue = 'ate/1', title = 'one'}})
    t:advance('1 day')
    me:call('issue.patch', {id = 'ate/1', title = 'One'})
    t:equal(t:view('title'), {{issue = 'ate/1', title = 'One'}})
    t:equal(t:view('board')[1].updated, '2026-01-02T00:00:00Z')
    me:call('issue.delete', {project = 'ate', number = 1})
    t:equal(t:view('board'), {})
    t:equal(t:view('title'), {})
    t:equal(t:view('last_number'), {{project = 'ate', number = 1}})
end)

test.it('comments stand below their issue', function(t)
    local me, ann = project(t)
    report(me, 'one')
    report(me, 'two')
    ann:call('comment.append', {issue = 'ate/1', text = 'Me too.'})
    ann:call('comment.append', {issue = 'ate/2', text = 'No.'})
    t:equal(#t:list('comment', {parent = 'ate/1'}), 1)
    t:equal(#t:list('comment'), 2)
    me:call('issue.delete', {project = 'ate', number = 1})
    t:fails('NOT_FOUND', ann, 'comment.append', {issue = 'ate/1', text = '?'})
end)

test.it('pages are written and read as they are', function(t)
    local me = project(t)
    local text = ('A line of a page.\n'):rep(1000)
    me:call('save_page', {project = 'ate', path = 'home', text = 'Hello'})
    me:call('save_page', {project = 'ate', path = 'home', text = text})
    t:equal(me:call('page', {page = 'ate/home'}), text)
    t:equal(#t:history('page', 'ate/home'), 2)
    t:fails('NOT_FOUND', me, 'page', {page = 'ate/nothing'})
end)

test.it('a project that is gone takes nothing more', function(t)
    local me = project(t)
    me:call('project.delete', {slug = 'ate'})
    t:fails('NOT_FOUND', me, 'report',
        {project = 'ate', title = 'x', text = 'y'})
    t:fails('NOT_FOUND', me, 'save_page',
        {project = 'ate', path = 'home', text = 'x'})
end)
