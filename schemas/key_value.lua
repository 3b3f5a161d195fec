--- Texts under keys: the key is in the header, the text in the body.
--
-- A key belongs to whom it was first set by. To change or unset it takes their
-- signature, or the right `edit` on it, or on all of the chain. What was unset
-- can be set again, and belongs to the same key pair as before.
local ate = require('ate')
local t = ate.types
local key_value = ate.schema('key_value', {
    doc = 'Texts under keys.',
    version = 1,
    bodies = 'open',
})

local key = t.name({max = 255})
local value = t.text({max = 64000})

-- A deleted object's key is spent for ever; so one that is unset stays, without
-- a text, and its history with it.
key_value:object('pair', {
    doc = 'A text under a key.',
    key = {'key'},
    header = {key = key, unset = t.default(t.boolean(), false)},
    body = {value = t.optional(value)},
    off = {'delete'},
    rights = {edit = 'Change and unset what others have set.'},
})

key_value:view('owner', {
    doc = 'Who set a key first, unset or not.',
    key = {'pair'},
    row = {pair = t.ref('pair'), owner = t.identity()},
    fold = {
        pair = function(rows, pair, tx)
            if pair.change == 'new' then
                rows:set(pair.id, {owner = tx.caller})
            end
        end,
    },
})
key_value:view('keys', {
    doc = 'Which keys are set, and since when to what they are.',
    key = {'key'},
    row = {key = key, changed = t.time()},
    fold = {
        pair = function(rows, pair, tx)
            if pair.unset then
                rows:delete(pair.key)
            else
                rows:set(pair.key, {changed = tx.time})
            end
        end,
    },
})

key_value:rule('not_yours', {
    doc = 'A key is changed by who set it first, or who has the right edit.',
    on = {'pair'},
    text = '{key} was set by {owner}',
    says = {owner = t.identity()},
    check = function(state, pair, tx)
        if pair.change == 'new' then
            return true
        end
        local owner = state.owner:get(pair.id).owner
        return tx:by(owner) or tx:may('edit', pair)
            or ate.deny({key = pair.key, owner = owner})
    end,
})
key_value:rule('not_set', {
    doc = 'Only what is set is unset.',
    on = {'pair'},
    text = '{key} is not set',
    check = function(_, pair)
        local was_set = pair.change == 'edit' and not pair.before.unset
        return not pair.unset or was_set or ate.deny({key = pair.key})
    end,
})

key_value:method('set', {
    doc = 'Put a text under a key, in place of what is there.',
    mode = 'write',
    args = {key = key, value = value},
    content = 'value',
    rest = 'PUT /pairs/{key}',
    file = 'pairs/{key}',
    run = function(ctx, args)
        ctx:put('pair', {key = args.key, value = args.value})
    end,
})
key_value:method('unset', {
    doc = 'Take the text under a key away.',
    mode = 'write',
    args = {key = key},
    rest = 'DELETE /pairs/{key}',
    run = function(ctx, args)
        ctx:put('pair', {key = args.key, unset = true})
    end,
})
key_value:method('get', {
    doc = 'The text under a key, or nothing.',
    mode = 'read',
    args = {key = key},
    returns = t.optional(value),
    rest = 'GET /pairs/{key}',
    run = function(ctx, args)
        local pair = ctx:get('pair', args.key)
        if pair == nil or pair.unset then
            return nil -- whatever its body says
        end
        return pair.value
    end,
})
return key_value
