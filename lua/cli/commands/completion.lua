--- ate completion SHELL
local ate = require('ate')
local suggest = require('ate.client.suggest')

local SHELLS = {'bash', 'zsh', 'fish'}

local function run(ctx)
    local script = ate.asset('cli/completion/' .. ctx.args.SHELL)
    if script == nil then
        return nil, ate.error('INVALID', ('%q is no shell that can '
            .. 'complete%s'):format(ctx.args.SHELL,
            suggest.hint_or_list(ctx.args.SHELL, SHELLS)))
    end
    if ctx.out.is_json then
        ctx.out:json({shell = ctx.args.SHELL, script = script})
    else
        ctx.out:write(script)
    end
    return 0
end

return {
    name = 'completion',
    doc = 'Print what makes a shell complete ate\'s commands.',
    args = {{name = 'SHELL', shown = 'bash|zsh|fish', doc = 'The shell.'}},
    examples = {'source <(ate completion bash)',
        'ate completion fish > ~/.config/fish/completions/ate.fish'},
    run = run,
}
