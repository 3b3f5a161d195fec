--- ate help [COMMAND...]
local commands = require('ate.cli.table_of_commands')
local help = require('ate.cli.help')

--- ate(1), ate-COMMAND(1) or ate.conf(5).
local function print_page(ctx, name)
    local manual = require('ate.cli.manual')
    local noun = name and commands.noun(name)
    if name == nil then
        ctx.out:write(manual.page())
    elseif name == 'ate.conf' then
        ctx.out:write(manual.config())
    elseif noun ~= nil then
        ctx.out:write(manual.noun(noun))
    else
        return nil, commands.no_command(name)
    end
    return 0
end

local function run(ctx)
    if ctx.options.mdoc then
        return print_page(ctx, ctx.args.COMMAND[1])
    end
    local words = ctx.args.COMMAND
    local noun = words[1] and commands.noun(words[1])
    if noun == nil and words[1] ~= nil then
        return nil, commands.no_command(words[1])
    end
    local command = noun
    if noun ~= nil and noun.verbs ~= nil then
        command = words[2] and commands.find(noun.verbs, words[2])
        if command == nil and words[2] ~= nil then
            return nil, commands.no_verb(noun, words[2])
        end
    end
    help.print(ctx.out, noun, command)
    return 0
end

return {
    name = 'help',
    doc = 'Show help.',
    args = {{name = 'COMMAND', many = true, optional = true,
        doc = 'The command to be explained.'}},
    options = {{name = 'mdoc', doc = 'Print the source of the manual page: of ate, '
        .. 'of a command, or of ate.conf.'}},
    examples = {'ate help chain create'},
    run = run,
}
