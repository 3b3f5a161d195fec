--- ate repl [NAME]
local advice = require('ate.client.advice')
local config = require('ate.client.config')
local settings = require('ate.cli.settings')

--- What the configuration calls this folder. Unless this user named it, one
-- that is wrong, or that cannot be read, is for who serves the folder to mend.
-- @treturn[1] string stage, or '' for none
-- @treturn[2] nil
-- @treturn[2] table err
local function stage_of(ctx)
    local conf, err = config.read(ctx:data(), settings.named(ctx.options))
    if conf ~= nil then
        return conf.stage or ''
    elseif ctx.options.config ~= nil then
        return nil, err
    end
    ctx.out:warn('repl: no stage in the prompt: ' .. err.text)
    return ''
end

local function run(ctx)
    local session, err = ctx:open('call')
    if session == nil then
        return nil, err
    end
    local stage
    stage, err = stage_of(ctx)
    if stage == nil then
        return nil, err
    end
    if session.writing_err ~= nil then
        ctx.out:talk('read only: ' .. advice.text(session.writing_err))
    end
    return require('ate.repl').run(ctx.out, session, {chain = ctx.args.NAME,
        stage = stage ~= '' and stage or nil})
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
