--- ate console: where a browser finds the web console, with the key.
local ate = require('ate')

local has_rest, rest = pcall(require, 'ate.rest')

--- Where the process that serves the folder has REST; nil, err: nowhere.
local function address(ctx, folder)
    local session, err = ctx:open('read')
    if session == nil then
        return nil, err
    end
    local file = session:is_remote() and io.open(folder .. '/rest', 'rb')
    local url = file and file:read('*l')
    if file then
        file:close()
    end
    if not url or url == '' then
        return nil, ate.error('UNAVAILABLE', ('console: nobody serves %s by '
            .. 'HTTP; ate serve --rest PORT does'):format(folder))
    end
    return url
end

local function run(ctx)
    if not has_rest then
        return nil, ate.error('UNAVAILABLE', 'console: this ate was built '
            .. 'without REST')
    end
    local folder = ctx:data():gsub('(.)/+$', '%1')
    local url, err = address(ctx, folder)
    if url == nil then
        return nil, err
    end
    local key
    key, err = rest.bearer(folder)
    if key == nil then
        return nil, err
    end
    local link = ('%s/console/#key=%s'):format(url, key)
    if ctx.out.is_json then
        ctx.out:json({console = link})
    else
        ctx.out:line(link)
    end
    return 0
end

return {
    name = 'console',
    doc = 'Print a link to the web console, with the key.',
    more = 'The folder has to be served by ate serve --rest. Whoever has the '
        .. 'link has the key.\nIt stands behind #, which no browser sends; the '
        .. 'page takes it out of the address\nat once and forgets it with the '
        .. 'tab.',
    examples = {'ate console', 'xdg-open "$(ate console)"'},
    run = run,
}
