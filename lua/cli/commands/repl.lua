--- ate repl [NAME]
local advice = require('ate.client.advice')
local config = require('ate.client.config')
local settings = require('ate.cli.settings')

--- What the configuration calls this folder. One that is wrong, or that this
-- user can not read, is for who serves it to mend.
local function stage_of(ctx)
    local conf, err = config.read(ctx:data(), settings.named(ctx.options))
    if conf == nil then
        ctx.out:warn('repl: no stage in the prompt: ' .. err.text)
        return nil
    end
    return conf.stage
end

local function run(ctx)
    local session, err = ctx:open('call')
    if session == nil then
        return nil, err
    end
    if session.writing_err ~= nil then
        ctx.out:talk('read only: ' .. advice.text(session.writing_err))
    end
    return require('ate.repl').run(ctx.out, session, {chain = ctx.args.NAME,
        stage = stage_of(ctx)})
end

return {
    name = 'repl',
    doc = 'Type Lua and commands at chains.',
    args = {{name = 'NAME', optional = true, doc = 'The chain to be '
        .. 'used; without it the only one that there is.'}},
    options = {settings.option},
    more = 'TAB completes, \\help shows what can be typed. Through a pipe '
        .. 'there are no\nprompts, and the exit code is that of the first '
        .. 'line that failed.',
    examples = {'ate repl bank', 'echo "view.balance()" | ate repl bank'},
    run = run,
}
