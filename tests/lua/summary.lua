--- How specs tell their results: each failure in full, then one line
-- `N passed, N failed`.
return function()
    local busted = require('busted')
    local handler = require('busted.outputHandlers.base')()

    local function say(kind, list)
        for _, item in ipairs(list) do
            io.write(('%s: %s\n'):format(kind, handler.getFullName(item)))
            local where = item.trace ~= nil and item.trace.short_src ~= nil
                and ('%s:%d: '):format(item.trace.short_src,
                    item.trace.currentline)
            local message = item.message
            if type(message) ~= 'string' then
                message = message ~= nil and tostring(message) or 'no message'
            end
            io.write(('  %s%s\n'):format(where or '',
                (message:gsub('\n', '\n  '))))
        end
    end

    busted.subscribe({'suite', 'end'}, function()
        say('FAIL', handler.failures)
        say('ERROR', handler.errors)
        for _, item in ipairs(handler.pendings) do
            io.write(('left out: %s\n'):format(handler.getFullName(item)))
        end
        io.write(('%d passed, %d failed\n'):format(handler.successesCount,
            handler.failuresCount + handler.errorsCount))
        return nil, true
    end)
    return handler
end
