local test = require('ate.test')
test.schema('ate:key_value')

test.it('what was set is there', function(t)
    local ann = t:user('ann')
    ann:call('set', {key = 'color', value = 'blue'})
    ann:call('set', {key = 'size', value = ''})
    t:equal(ann:call('get', {key = 'color'}), 'blue')
    t:equal(ann:call('get', {key = 'size'}), '')
    t:equal(ann:call('get', {key = 'shape'}), nil)
    t:equal(t:view('keys'), {
        {key = 'color', changed = '2026-01-01T00:00:00Z'},
        {key = 'size', changed = '2026-01-01T00:00:00Z'},
    })
end)

test.it('it is changed, and its history stays', function(t)
    local ann = t:user('ann')
    ann:call('set', {key = 'color', value = 'blue'})
    t:advance('1 day')
    ann:call('set', {key = 'color', value = 'red'})
    t:equal(ann:call('get', {key = 'color'}), 'red')
    t:equal(t:view('keys'),
        {{key = 'color', changed = '2026-01-02T00:00:00Z'}})
    local versions = t:history('pair', 'color')
    t:equal({versions[1].value, versions[2].value}, {'red', 'blue'})
end)

test.it('what was unset is gone, and can be set again', function(t)
    local ann = t:user('ann')
    t:refused('not_set', ann, 'unset', {key = 'color'})
    ann:call('set', {key = 'color', value = 'blue'})
    ann:call('unset', {key = 'color'})
    t:equal(ann:call('get', {key = 'color'}), nil)
    t:equal(t:view('keys'), {})
    t:refused('not_set', ann, 'unset', {key = 'color'})
    ann:call('set', {key = 'color', value = 'red'})
    t:equal(ann:call('get', {key = 'color'}), 'red')
    t:equal(#t:view('keys'), 1)
end)

test.it('what is unset has no text, whatever was written', function(t)
    local ann = t:user('ann')
    ann:call('set', {key = 'color', value = 'blue'})
    ann:call('pair.put', {key = 'color', value = 'red', unset = true})
    t:equal(ann:call('get', {key = 'color'}), nil)
    t:equal(t:view('keys'), {})
    ann:call('pair.put', {key = 'color'}) -- set, to nothing
    t:equal(ann:call('get', {key = 'color'}), nil)
end)

test.it('nobody changes what others have set', function(t)
    local me, ann, ben = t:user('me'), t:user('ann'), t:user('ben')
    ann:call('set', {key = 'color', value = 'blue'})
    local said = t:refused('not_yours', ben, 'set',
        {key = 'color', value = 'red'})
    t:ok(said:find('color was set by ', 1, true), said)
    t:refused('not_yours', ben, 'unset', {key = 'color'})
    t:refused('not_yours', ben, 'pair.put', {key = 'color', value = 'red'})
    me:call('set', {key = 'color', value = 'gray'}) -- root keys may
end)

test.it('a key that was unset stays its owner\'s', function(t)
    local ann, ben = t:user('ann'), t:user('ben')
    ann:call('set', {key = 'color', value = 'blue'})
    ann:call('unset', {key = 'color'})
    t:refused('not_yours', ben, 'set', {key = 'color', value = 'red'})
end)

test.it('the right edit is given and taken back', function(t)
    local me, ann, ben = t:user('me'), t:user('ann'), t:user('ben')
    ann:call('set', {key = 'color', value = 'blue'})
    ann:call('set', {key = 'size', value = 'small'})
    local grant = me:call('ate.grant',
        {to = 'ben', rights = {'edit'}, object = 'pair/color'})
    ben:call('set', {key = 'color', value = 'red'})
    t:refused('not_yours', ben, 'set', {key = 'size', value = 'large'})
    me:call('ate.revoke', {grant = grant})
    t:refused('not_yours', ben, 'set', {key = 'color', value = 'green'})
    ann:call('set', {key = 'color', value = 'green'})
end)

test.it('who acts for the owner changes it', function(t)
    local ann, ben = t:user('ann'), t:user('ben')
    ann:call('set', {key = 'size', value = 'small'})
    t:refused('not_yours', ben, 'set', {key = 'size', value = 'large'})
    ann:call('ate.grant',
        {to = 'ben', rights = {'act_for'}, act_for = 'ann'})
    ben:call('set', {key = 'size', value = 'large'})
    -- What is made for ann is hers, not ben's.
    ben:acting_for(ann):call('set', {key = 'color', value = 'blue'})
    t:equal(t:view('owner', {pair = 'color'}),
        {{pair = 'color', owner = 'ann'}})
    ann:call('set', {key = 'color', value = 'red'})
    t:fails('DENIED', t:user('eve'):acting_for(ann), 'set',
        {key = 'shape', value = 'round'})
end)

test.it('who signs with the owner changes it', function(t)
    local ann, ben = t:user('ann'), t:user('ben')
    ann:call('set', {key = 'color', value = 'blue'})
    ben:with(ann):call('set', {key = 'color', value = 'red'})
    t:refused('not_yours', ben, 'set', {key = 'color', value = 'green'})
end)

test.it('nothing is deleted, and no key is odd', function(t)
    local ann = t:user('ann')
    ann:call('set', {key = 'color', value = 'blue'})
    t:fails('NOT_FOUND', ann, 'pair.delete', {key = 'color'})
    t:fails('INVALID', ann, 'set', {key = 'a/b', value = ''})
    t:fails('INVALID', ann, 'set', {key = '', value = ''})
    t:fails('INVALID', ann, 'set', {key = 'long', value = ('x'):rep(64001)})
    ann:call('set', {key = 'long', value = ('x'):rep(64000)})
end)

-- As `ate chain create` makes chains: only those write whom the root key let.
test.schema('ate:key_value',
    {accept = {'trust-delegation', 'serializer', 'structured-logic'}})

test.it('on a chain of its own only those write who may', function(t)
    local me, ann = t:user('me'), t:user('ann')
    me:call('set', {key = 'color', value = 'blue'})
    t:fails('DENIED', ann, 'set', {key = 'size', value = 'small'})
    me:call('ate.grant', {to = 'ann', rights = {'create', 'write'}})
    ann:call('set', {key = 'size', value = 'small'})
    ann:call('set', {key = 'size', value = 'large'})
    t:refused('not_yours', ann, 'set', {key = 'color', value = 'red'})
end)
