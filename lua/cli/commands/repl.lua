--- ate repl [NAME]
local advice = require('ate.client.advice')

local function run(ctx)
    local session, err = ctx:open('call')
    if session == nil then
        return nil, err
    end
    if session.writing_err ~= nil then
        ctx.out:talk('read only: ' .. advice.text(session.writing_err))
    end
    return require('ate.repl').run(ctx.out, session, ctx.args.NAME)
end

return {
    name = 'repl',
    doc = 'Type Lua and commands at chains.',
    args = {{name = 'NAME', optional = true, doc = 'The chain to be '
        .. 'used; without it the only one that there is.'}},
    more = 'TAB completes, \\help shows what can be typed. Through a pipe '
        .. 'there are no\nprompts, and the exit code is that of the first '
        .. 'line that failed.',
    examples = {'ate repl bank', 'echo "view.balance()" | ate repl bank'},
    run = run,
}
