--- ate revoke NAME GRANT
local signing = require('ate.cli.signing')
local write = require('ate.cli.write')

local function run(ctx)
    return write.run(ctx, 'ate.revoke', {grant = ctx.args.GRANT})
end

return {
    name = 'revoke',
    doc = 'Take a grant back, and all that rest on it.',
    args = {
        {name = 'NAME', doc = 'The chain.'},
        {name = 'GRANT', doc = 'Its place, such as 12.0; ate grants shows it.'},
    },
    options = signing.options,
    examples = {'ate revoke tracker 12.0'},
    run = run,
}
