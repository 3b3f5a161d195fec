--- ate version
local ate = require('ate')

return {
    name = 'version',
    doc = 'Show the version.',
    run = function(ctx)
        if ctx.out.is_json then
            ctx.out:json({version = ate.version, lua = jit.version})
        else
            ctx.out:line('ate ' .. ate.version)
        end
        return 0
    end,
}
