-- Issues and pages. Keys are names, and what a rule's text says beside the fields
-- of its event has its type in `says`.
local ate = require('ate')
local t = ate.types
local tracker = ate.schema('tracker', {
    doc = 'Issues and pages that one group reads and writes.',
    version = 2,
    context = {me_first = t.default(t.boolean(), false)},
})

tracker:object('project', {
    doc = 'The work of one group.',
    key = {'slug'},
    header = {slug = t.name({max = 40}), group = t.identity()},
    rights = {maintain = 'Change and delete everything.', report = 'Open issues, comment.'},
})
tracker:object('issue', {
    doc = 'Something to be done.',
    parent = 'project',
    key = {'number'},
    header = {
        project = t.ref('project'),
        number = t.once(t.integer({min = 1})),
        state = t.enum({'open', 'doing', 'done'}),
        assignee = t.optional(t.identity()),
        labels = t.default(t.list(t.text({max = 24}), {max = 12}), {}),
        priority = t.default(t.enum({'low', 'normal', 'high'}), 'normal'), -- new in version 2
    },
    body = {
        title = t.text({max = 200}),
        text = t.text({max = 65536}),
    },
})
tracker:event('comment', {
    doc = 'Said about an issue.',
    parent = 'issue',
    header = {issue = t.ref('issue')},
    body = {text = t.text({max = 65536})},
})
tracker:object('page', {
    doc = 'A page of the wiki.',
    parent = 'project',
    key = {'path'},
    header = {project = t.ref('project'), path = t.name({max = 200})},
    body = {text = t.text({max = 1048576})},
})

tracker:view('last_number', {
    doc = 'The newest issue of each project.',
    key = {'project'},
    row = {project = t.ref('project'), number = t.default(t.integer(), 0)},
    fold = {
        issue = function(rows, issue)
            if issue.change == 'new' then
                rows:set(issue.project, {number = issue.number})
            end
        end,
    },
})
tracker:view('board', {
    doc = 'Issues by state, the last touched first.',
    key = {'project', 'issue'},
    order = {'project', 'state', 'updated'},
    row = {
        project = t.ref('project'),
        issue = t.ref('issue'),
        state = t.enum({'open', 'doing', 'done'}),
        updated = t.time(),
        comments = t.default(t.integer(), 0),
    },
    fold = {
        issue = function(rows, issue, tx)
            local key = {project = issue.project, issue = issue.id}
            if issue.change == 'delete' then
                rows:delete(key)
            else
                rows:set(key, {state = issue.state, updated = tx.time})
            end
        end,
    },
})
tracker:view('title', {
    doc = 'What each issue is called; for those who can read it.',
    reads = 'bodies',
    key = {'issue'},
    row = {issue = t.ref('issue'), title = t.text({max = 200})},
    fold = {
        issue = function(rows, issue)
            if issue.change == 'delete' then
                rows:delete(issue.id)
            else
                rows:set(issue.id, {title = issue.title})
            end
        end,
    },
})

tracker:rule('not_allowed', {
    doc = 'Reporters open and comment; assignee and maintainers change.',
    on = {'issue'},
    text = '{who} may not {change} {issue}',
    says = {
        who = t.identity(),
        change = t.enum({'new', 'edit', 'delete'}),
        issue = t.ref('issue'),
    },
    check = function(_, issue, tx)
        local ok = tx:may('maintain', issue.project)
        if issue.change == 'new' then
            ok = ok or tx:may('report', issue.project)
        elseif issue.change == 'edit' then
            local assignee = issue.before.assignee
            ok = ok or assignee ~= nil and tx:by(assignee)
        end
        return ok or ate.deny({who = tx.author, change = issue.change, issue = issue.id})
    end,
})
tracker:rule('number_taken', {
    doc = 'Issues are numbered one after another.',
    on = {'issue'},
    text = 'the next number is {want}, not {number}', says = {want = t.integer()},
    check = function(state, issue)
        local want = state.last_number:get(issue.project).number + 1
        return issue.change ~= 'new' or issue.number == want
            or ate.deny({want = want, number = issue.number})
    end,
})

tracker:method('report', {
    doc = 'Open an issue.',
    args = {project = t.ref('project'), title = t.text({max = 200}), text = t.text({max = 65536})},
    returns = t.ref('issue'),
    mode = 'write', runs = 'both',
    rest = 'POST /projects/{project}/issues',
    file = 'projects/{project}/report',
    run = function(ctx, args)
        return ctx:put('issue', {
            project = args.project,
            number = ctx.state.last_number:get(args.project).number + 1,
            state = 'open',
            title = args.title,
            text = args.text,
        }).id
    end,
})
tracker:method('move', {
    doc = 'Move an issue to another column.',
    args = {issue = t.ref('issue'), to = t.enum({'open', 'doing', 'done'})},
    mode = 'write', runs = 'both',
    rest = 'POST /issues/{issue}/move',
    file = 'issues/{issue}/move',
    run = function(ctx, args)
        return ctx:patch('issue', args.issue, {state = args.to})
    end,
})
tracker:method('board', {
    doc = 'The issues of a project in one state, the last touched first.',
    args = {project = t.ref('project'), state = t.enum({'open', 'doing', 'done'})},
    returns = t.page('board'),
    mode = 'read', runs = 'both',
    rest = 'GET /projects/{project}/board/{state}',
    file = 'projects/{project}/board/{state}',
    run = function(ctx, args)
        local page = {}
        for row in ctx.state.board:each({project = args.project}, {order = 'last_first', limit = 50}) do
            if row.state == args.state then
                local named = ctx.state.title:get(row.issue)
                row.title = named and named.title -- nil without the key
                page[#page + 1] = row
            end
        end
        return page
    end,
})
tracker:method('page', {
    doc = 'A page of the wiki.',
    args = {page = t.ref('page')},
    returns = t.text({max = 1048576}),
    mode = 'read', runs = 'both',
    rest = 'GET /wiki/{page}', file = 'wiki/{page}.md',
    run = function(ctx, args)
        return ctx.state.page:get(args.page).text
    end,
})
tracker:method('save_page', {
    doc = 'Write a page of the wiki.',
    args = {project = t.ref('project'), path = t.name({max = 200}), text = t.text({max = 1048576})},
    content = 'text',
    mode = 'write', runs = 'both',
    rest = 'PUT /wiki/{project}/{path}', file = 'wiki/{project}/{path}.md',
    run = function(ctx, args)
        return ctx:put('page', args)
    end,
})
return tracker
