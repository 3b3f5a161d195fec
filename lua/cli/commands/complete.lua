--- ate complete: what a shell asks while somebody types.
local complete = require('ate.cli.complete')

local function run(ctx)
    for _, word in ipairs(complete.words(ctx.args.WORD, ctx)) do
        ctx.out:line(word)
    end
    return 0
end

return {
    name = 'complete',
    hidden = true,
    doc = 'Print what the last word may become; for shells.',
    args = {{name = 'WORD', many = true, optional = true,
        doc = 'The words after ate, the last one unfinished.'}},
    run = run,
}
