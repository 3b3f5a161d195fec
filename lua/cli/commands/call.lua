--- ate call NAME METHOD: call a method, once or for each line of a stream.
local ate = require('ate')
local body = require('ate.cli.body')
local bulk = require('ate.cli.bulk')
local cell = require('ate.client.cell')
local deadline = require('ate.cli.deadline')
local facts = require('ate.client.facts')
local files = require('ate.client.files')
local follow = require('ate.cli.follow')
local output_option = require('ate.cli.out').option
local problem = require('ate.client.problem')
local rows = require('ate.client.rows')
local shape = require('ate.client.shape')
local signing = require('ate.cli.signing')
local values = require('ate.client.values')
local write = require('ate.cli.write')

local function what_of(ctx, method)
    return ctx.args.NAME .. (method and ' ' .. method.name or '')
end

local function json_object(what, option, text)
    local object, wrong = ate.json.decode(text)
    if object == nil then
        return nil, ate.error('INVALID', ('%s: %s is no JSON: %s'):format(
            what, option, wrong))
    end
    if type(object) ~= 'table' or ate.is_list(object) then
        return nil, ate.error('INVALID', ('%s: %s is no JSON object'):format(
            what, option))
    end
    return object
end

local function arguments(ctx, method, words)
    local what = what_of(ctx, method)
    if ctx.options.args == nil then
        return values.args(method.args or {}, words, what)
    end
    if #words > 0 then
        return nil, ate.error('INVALID', what .. ': give either key=value '
            .. 'or --args, not both')
    end
    local text = ctx.options.args
    if text == '-' then
        local err
        text, err = files.read_or_stdin(what .. ': --args', text)
        if text == nil then
            return nil, err
        end
    end
    return json_object(what, '--args', text)
end

--- What --context gives: nil when nothing does.
local function context(ctx, schema, method)
    local words = ctx.options.context
    if words == nil then
        return nil
    end
    local what = what_of(ctx, method)
    if words[1]:match('^%s*{') then
        if #words > 1 then
            return nil, ate.error('INVALID', what .. ': give --context once '
                .. 'as JSON, or for each NAME=VALUE')
        end
        return json_object(what, '--context', words[1])
    end
    local fields, part = shape.context(schema, method)
    if #fields == 0 then
        return nil, ate.error('INVALID', ('%s: context: schema %s declares '
            .. 'none'):format(what, part))
    end
    return values.args(fields, words, what .. ': context')
end

--- One text is the whole of what is printed: a file gets it as it is.
local function print_value(out, value)
    if type(value) == 'string' and not ate.host.is_terminal(1) then
        out:write(cell.text(value) .. '\n')
    else
        out:line(cell.shown(value))
    end
end

--- Print what a read method gave: rows, an object, or one value.
local function print_result(ctx, value, schema, method)
    local columns = ate.is_list(value)
        and (shape.method_columns(schema, method, value)
            or type(value[1]) == 'table' and not ate.is_list(value[1])
                and shape.any_columns(value))
    if columns then
        local writer = rows.writer(ctx.out, columns, ctx.options.output)
        for _, row in ipairs(value) do
            writer.row(row)
        end
        writer.close()
    elseif ctx.out.is_json then
        ctx.out:json(value)
    elseif ate.is_list(value) then
        for _, item in ipairs(value) do
            ctx.out:line(cell.shown(item))
        end
    elseif type(value) == 'table' then
        facts.print(ctx.out, value)
    elseif value ~= ate.null then
        print_value(ctx.out, value)
    end
end

--- 16 bytes from 32 hexadecimal digits.
local function call_id_of(text)
    if text == nil then
        return nil
    end
    if #text ~= 32 or text:find('%X') then
        return nil, ate.error('INVALID', 'call: --call-id is 32 hexadecimal '
            .. 'digits, such as those of head -c 16 /dev/urandom | xxd -p')
    end
    return (text:gsub('%x%x', function(digits)
        return string.char(tonumber(digits, 16))
    end))
end

--- Follow what a method that reads gives.
local function follow_one(ctx, session, method, who)
    local args, err = arguments(ctx, method, ctx.args['key=value'])
    if args == nil then
        return nil, err
    end
    return follow.run(ctx, session, 'call', {method = method.name, args = args},
        who)
end

local function call_one(ctx, session, schema, method, who)
    local chain = ctx.args.NAME
    local args, err = arguments(ctx, method, ctx.args['key=value'])
    if args == nil then
        return nil, err
    end
    if method.mode == 'write' and session.writing_err ~= nil then
        return nil, session.writing_err
    end
    who.call_id = call_id_of(ctx.options['call-id'])
    if ctx.options.body ~= nil then
        local ok, wrong = body.add(ctx, session, method, args)
        if not ok then
            return nil, wrong
        end
    end
    local value
    value, err = session:call(chain, method.name, args, who)
    if value == nil then
        return nil, problem.say(err, chain .. ' ' .. method.name)
    end
    if method.mode == 'write' then
        write.print(ctx, method.name, value)
    else
        print_result(ctx, value, schema, method)
    end
    return 0
end

local function check_options(options)
    local _, late = deadline.check('call', options)
    if late ~= nil then
        return late
    end
    if options.jsonl ~= nil and options['call-id'] ~= nil then
        return ate.error('INVALID', 'call: --call-id is of one call, not of '
            .. 'a stream')
    end
    if options.jsonl ~= nil and options.body ~= nil then
        return ate.error('INVALID', 'call: --body is of one call, not of '
            .. 'a stream')
    end
    if options.from ~= nil and not options.follow then
        return ate.error('INVALID', 'call: --from goes with --follow')
    end
    if options.follow and options.jsonl ~= nil then
        return ate.error('INVALID', 'call: --follow is of one method, not of '
            .. 'a stream')
    end
    local _, err = call_id_of(options['call-id'])
    return err or follow.check(options)
end

local function call(ctx, left)
    local session, err = ctx:open('call',
        ctx.options.deadline and {left = left})
    if session == nil then
        return nil, err
    end
    local schema
    schema, err = session:schema(ctx.args.NAME, left())
    if schema == nil then
        return nil, err
    end
    if session.interrupted then -- while that was read; stdin may be next
        return nil, ate.error('CANCELED', 'call: interrupted')
    end
    local method
    if ctx.args.METHOD ~= nil then
        method, err = shape.find(schema, 'method', ctx.args.METHOD,
            ctx.args.NAME)
        if method == nil then
            return nil, err
        end
    end
    local who = signing.of(ctx.options)
    who.deadline_ms = left() -- what stdin gives may take its time
    who.context, err = context(ctx, schema, method)
    if err ~= nil then
        return nil, err
    end
    if ctx.options.jsonl ~= nil then
        if session.writing_err ~= nil then
            return nil, session.writing_err
        end
        return bulk.run(ctx, session, method, who.context)
    end
    if method == nil then
        return nil, ate.error('INVALID', 'call needs a METHOD'
            .. shape.there_are(schema, 'method', ctx.args.NAME)
            .. '; ate help call shows how')
    end
    if ctx.options.follow then
        return follow_one(ctx, session, method, who)
    end
    return call_one(ctx, session, schema, method, who)
end

local function run(ctx)
    local wrong = check_options(ctx.options)
    if wrong ~= nil then
        return nil, wrong
    end
    local ms = ctx.options.deadline
    local code, err = call(ctx, deadline.start(ms))
    if err ~= nil then
        return nil, deadline.named(err, ms)
    end
    return code
end

return {
    name = 'call',
    doc = 'Call a method of a chain.',
    args = {
        {name = 'NAME', doc = 'The chain.'},
        {name = 'METHOD', optional = true,
            doc = 'Such as transfer or account.put; a stream may say its own.'},
        {name = 'key=value', many = true, optional = true,
            doc = 'Arguments; key=@FILE takes the value from a file.'},
    },
    options = signing.and_more({
        {name = 'args', value = 'JSON',
            doc = 'All arguments as one JSON object; - reads stdin.'},
        {name = 'context', value = 'NAME=VALUE', many = true,
            doc = 'What the method may know beside its arguments, of what the '
                .. 'schema\'s context\ndeclares; may be repeated, or be one '
                .. 'JSON object.'},
        {name = 'body', value = 'FILE',
            doc = 'The argument that is a blob, from a regular file; - is '
                .. 'stdin. What '
                .. 'is larger than 64 KiB is put first.'},
        {name = 'upload-id', value = 'HEX',
            doc = 'With --body: go on with what was put, 32 digits.'},
        {name = 'jsonl', value = 'FILE',
            doc = 'A call for each line of a file of JSON; - is stdin.'},
        {name = 'keep-going', doc = 'With --jsonl: go on after a failure.'},
        {name = 'deadline', value = 'MS', number = true,
            doc = 'Give up after so many milliseconds, opening included; a '
                .. 'write under way is\nnot undone.'},
        {name = 'call-id', value = 'HEX',
            doc = 'The id of this call, 32 digits: the same call again with '
                .. 'it is done once, and gets the stored result.'},
        output_option, follow.options[1], follow.options[2],
    }),
    more = 'A line of --jsonl is an object of arguments, or {"method": ..., '
        .. '"args": {...},\n"as": ..., "call_id": ..., "context": ...}. '
        .. 'After a failure '
        .. 'nothing more is sent, but some\nhundred lines behind it may be in '
        .. 'flight, and are accepted or refused by\nthemselves; which those '
        .. 'are is said at the end. Where each line has a call_id,\n32 digits '
        .. 'of hex or a UUID, the same stream can be sent again within a day '
        .. 'of\nlog time and writes nothing twice.\n\nLists and structs are '
        .. 'JSON, also in key=value; a list of simple values may be\na,b,c.'
        .. '\n\nA text that a method gives is printed as it is, and a line '
        .. 'feed behind it, when\nstdout is no terminal. On a terminal, in lists '
        .. 'and in tables, what nobody sees is\nescaped, and the backslash, '
        .. 'too.',
    examples = {
        'ate call bank transfer from=alice to=bob amount=12.50',
        'ate call bank transfer from=bob to=alice amount=1 --as bob',
        'ate call bank transfer --jsonl transfers.jsonl',
        'ate call bank account.list --follow --json',
        'ate call tickets ticket.open title=Broken --context lang=de',
        'ate call files file.put path=film.mp4 --body film.mp4',
    },
    run = run,
}
