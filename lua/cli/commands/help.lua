--- ate help [COMMAND...]
local ate = require('ate')
local commands = require('ate.cli.table_of_commands')
local help = require('ate.cli.help')
local suggest = require('ate.client.suggest')

local function run(ctx)
    if ctx.options.mdoc then
        ctx.out:write(require('ate.cli.manual').page())
        return 0
    end
    local words = ctx.args.COMMAND
    if #words == 0 then
        ctx.out:write(help.all())
        return 0
    end
    local nouns = commands.all()
    local noun = commands.find(nouns, words[1])
    if noun == nil then
        return nil, ate.error('NOT_FOUND', ('no command %q%s'):format(words[1],
            suggest.hint(words[1], commands.names(nouns))))
    end
    if noun.verbs == nil then
        ctx.out:write(help.command(noun.name, noun))
        return 0
    end
    local verb = words[2] and commands.find(noun.verbs, words[2])
    if verb == nil then
        ctx.out:write(help.noun(noun))
        return 0
    end
    ctx.out:write(help.command(noun.name .. ' ' .. verb.name, verb))
    return 0
end

return {
    name = 'help',
    doc = 'Show help.',
    args = {{name = 'COMMAND', many = true, optional = true,
        doc = 'The command to be explained.'}},
    options = {{name = 'mdoc', doc = 'Print the manual page\'s source.'}},
    examples = {'ate help chain create'},
    run = run,
}
