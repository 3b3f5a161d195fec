"""Who may do what: keys, delegations, root keys, terms of the order key, and for
whom a transaction speaks (docs/format.md section 3)."""
from formats import DELETES, H, array, encode, need, typed, u8
from state import AUTHOR, CHAIN, DELEGATION

SUITE = u8(1)
OWN_RIGHTS = ('create', 'write', 'delete', 'delegate', 'grant_reading', 'order',
              'act_for')
DEPTH_MAX, PARENTS_MAX, RIGHTS_MAX, ROOTS_MAX = 16, 256, 32, 16
INT_MAX = (1 << 63) - 1
STAGES = ('accept-all', 'master-key-validator', 'trust-delegation', 'serializer',
          'structured-logic')


def key_id(record):
    array(record, (int, 32, 32), 'key record')
    need(record[0] == SUITE, 'suite %d is unknown', record[0])
    return H('key', encode(record))


def check_roots(records, k, what):
    """k of different keys; their ids, in order."""
    ids = [key_id(record) for record in records]
    need(1 <= k <= len(records) <= ROOTS_MAX, '%s: %d of %d', what, k,
         len(records))
    need(len({record[1] for record in records}) == len(records),
         '%s: two records of one sign key', what)
    return ids


def fields(event, needed, optional=()):
    """The fields of an event of the engine, each of its type; a number is the
    length of a bin."""
    shapes = dict(needed)
    shapes.update(optional)
    need(set(needed) <= set(event.fields) <= set(shapes), '%s: fields %s',
         event.type, sorted(event.fields))
    for name, value in event.fields.items():
        array([value], (shapes[name],), '%s: %s' % (event.type, name))
    return event.fields


class Transaction:
    """What a transaction is judged by."""

    def __init__(self, index, time, author, call, further):
        self.index = index
        self.time = time
        self.author = author
        self.call = call
        self.caller = call[6] if call[6] is not None else author
        self.further = further
        self.authors = {author} | {sig[0] for sig in further
                                   if sig[1] == 'author'}


class Delegation:
    def __init__(self, tx, n, event):
        f = fields(event, {'to': 32, 'rights': list, 'depth': int},
                   {'object': 16, 'until': int, 'act_for': 32, 'key': list})
        self.to, self.rights, self.depth = f['to'], f['rights'], f['depth']
        self.object, self.act_for = f.get('object'), f.get('act_for')
        self.until = f.get('until', INT_MAX)
        need('until' not in f or self.until < INT_MAX, 'an end that is none')
        need(self.depth >= 0, 'a depth below zero')
        self.check_rights()
        self.by, self.auth_ref = event.author, event.auth_ref
        self.index, self.n = tx.index, n
        self.revoked = None

    def check_rights(self):
        names = [typed(name, (str,), 'right').encode() for name in self.rights]
        need(1 <= len(names) <= RIGHTS_MAX and names == sorted(set(names)) and
             all(1 <= len(name) <= 64 for name in names), 'rights')
        need((self.act_for is not None) == ('act_for' in self.rights) and
             ('act_for' not in self.rights or len(names) == 1),
             'act_for stands alone and names whom')

    def entry(self):
        return [self.to, self.object, self.rights, self.depth,
                None if self.until == INT_MAX else self.until, self.act_for,
                self.by, self.auth_ref, self.index, self.n, self.revoked]


class Trust:
    """Everything of it, with the chain's state and objects at hand."""

    def __init__(self, chain, genesis):
        self.state = chain.state
        self.objects = chain.objects
        self.bundles = b''      # the text of those that were in force
        self.keys = {}          # key id -> key record
        self.delegations = {}   # event id -> Delegation
        self.roots, self.k, self.next = genesis[6], genesis[7], genesis[8]
        self.root_ids = check_roots(self.roots, self.k, 'root keys')
        self.term, self.order = 1, genesis[9]
        self.order_id = key_id(self.order)
        self.orders = [(0, self.order)]  # (first index, key record), in order
        self.stages = genesis[10]
        need(set(self.stages) <= set(STAGES) and 'serializer' in self.stages,
             'pipeline: %s', self.stages)
        for record in self.roots + [self.order]:
            self.learn(record)

    def learn(self, record):
        """A key that the log does not know yet becomes known."""
        found = key_id(record)
        if found not in self.keys:
            self.keys[found] = record
            self.state.put(AUTHOR, found, [0, record])

    # -- who speaks, who agrees --

    def is_root(self, tx):
        signed = {tx.author} | {sig[0] for sig in tx.further
                                if sig[1] == 'root'}
        return len(signed & set(self.root_ids)) >= self.k

    def speaks_for(self, tx, identity, spot):
        """`spot` is (object or None, its parent or None); None: wherever."""
        return identity in tx.authors or any(
            given.to == tx.author and given.act_for == identity
            and self.in_force(tx, given)
            and (spot is None or self.covers(given, spot))
            for given in self.delegations.values())

    def check_caller(self, tx):
        need(self.speaks_for(tx, tx.caller, None),
             'a caller that it does not speak for')

    # -- delegations --

    def in_force(self, tx, given):
        for _ in range(DEPTH_MAX + 1):
            if given.index >= tx.index or given.revoked is not None \
                    or tx.time >= given.until:
                return False
            if given.auth_ref is None:
                return True
            given = self.delegations[given.auth_ref]
        return False

    def covers(self, given, spot):
        found, parent = spot
        if given.object is None or given.object == found:
            return True
        for _ in range(PARENTS_MAX):
            if found is None or parent is None:
                return False
            if parent == given.object:
                return True
            above = self.objects.get(parent)
            parent = above.parent if above is not None else None
        return False

    def spot_of(self, found):
        above = self.objects.get(found)
        return found, above.parent if above is not None else None

    def held(self, tx, auth_ref, right, spot, what):
        """The delegation that is named; it has to give the right there."""
        given = self.delegations.get(auth_ref)
        need(given is not None, '%s: its delegation is not there', what)
        need(self.in_force(tx, given), '%s: its delegation is not in force',
             what)
        need(self.speaks_for(tx, given.to, spot),
             '%s: its delegation is another\'s', what)
        need(right in given.rights, '%s: its delegation has no right %s', what,
             right)
        need(self.covers(given, spot), '%s: its delegation is about another '
             'object', what)
        return given

    def check_event(self, tx, event, right):
        """An event of the schema: its auth_ref, and a yes of the pipeline."""
        if event.auth_ref is not None:
            self.held(tx, event.auth_ref, right, (event.object, event.parent),
                      event.type)
        need('accept-all' in self.stages
             or 'trust-delegation' in self.stages and event.auth_ref is not None
             or {'trust-delegation', 'master-key-validator'} & set(self.stages)
             and self.is_root(tx), '%s: nobody lets its author', event.type)

    # -- events of the engine --

    def judge(self, tx, n, event, before):
        """Judge and apply one; `before`: the types of those before it."""
        judges = {
            'ate.key': self.judge_key,
            'ate.delegation': self.judge_delegation,
            'ate.revocation': self.judge_revocation,
            'ate.roots': self.judge_roots,
            'ate.order': self.judge_order,
        }
        need(event.type in judges, '%s: unknown type', event.type)
        if event.type == 'ate.key':
            need(set(before) <= {'ate.key'}, 'ate.key is out of place')
        judges[event.type](tx, n, event)

    def judge_key(self, tx, _, event):
        f = fields(event, {'suite': int, 'sign': 32, 'box': 32})
        record = [f['suite'], f['sign'], f['box']]
        found = key_id(record)
        need(found == tx.author or any(sig[0] == found for sig in tx.further),
             'ate.key: of somebody who does not sign')
        need(found not in self.keys, 'ate.key: this key is known')
        self.learn(record)

    def judge_delegation(self, tx, n, event):
        given = Delegation(tx, n, event)
        # What types declare takes Lua; that no file names it needs none.
        for name in given.rights:
            need(name in OWN_RIGHTS or name.encode() in self.bundles,
                 'ate.delegation: there is no right %r', name)
        key = event.fields.get('key')
        need(key is None or key_id(key) == given.to,
             'ate.delegation: the key of somebody else')
        need(tx.time < given.until, 'ate.delegation: its time has passed')
        need(given.depth <= DEPTH_MAX, 'ate.delegation: depth %d', given.depth)
        spot = (None, None)
        if given.object is not None:
            found = self.objects.get(given.object)
            need(found is not None and not found.flags & DELETES,
                 'ate.delegation: its object is not there')
            spot = self.spot_of(given.object)
        if given.auth_ref is not None:
            self.check_less(tx, given, spot)
        elif given.act_for is None:
            need(self.is_root(tx), 'ate.delegation: not by the root keys')
        else:
            need(given.act_for == tx.author,
                 'ate.delegation: to act for somebody else')
            need(self.takes_act_for(tx), 'ate.delegation: the pipeline takes '
                 'nothing from its author')
        if key is not None:
            self.learn(key)
        self.delegations[event.id] = given
        self.state.put(DELEGATION, event.id, given.entry())

    def check_less(self, tx, given, spot):
        right = 'delegate' if given.act_for is None else 'act_for'
        upper = self.held(tx, given.auth_ref, right, spot, 'ate.delegation')
        need(given.act_for == upper.act_for, 'ate.delegation: to act for '
             'somebody else than the one it rests on')
        need(set(given.rights) <= set(upper.rights)
             and given.depth < upper.depth and given.until <= upper.until,
             'ate.delegation: more than the one it rests on')

    def takes_act_for(self, tx):
        """Does the pipeline accept an act_for that rests on nothing?"""
        stages = set(self.stages)
        return 'accept-all' in stages or bool(
            stages & {'trust-delegation', 'master-key-validator'}
            and self.is_root(tx)
            or 'trust-delegation' in stages and any(
                given.to == tx.author and self.in_force(tx, given)
                for given in self.delegations.values()))

    def judge_revocation(self, tx, _, event):
        revoked = fields(event, {'delegation': 32})['delegation']
        need(revoked in self.delegations, 'ate.revocation: of none')
        given = self.delegations[revoked]
        need(given.revoked is None, 'ate.revocation: it was revoked')
        need(self.may_revoke(tx, given), 'ate.revocation: by somebody else')
        given.revoked = tx.index
        self.state.put(DELEGATION, revoked, given.entry())

    def may_revoke(self, tx, given):
        while True:
            spot = (None, None)
            if given.object is not None:
                spot = self.spot_of(given.object)
            if self.speaks_for(tx, given.by, spot) \
                    or self.speaks_for(tx, given.to, spot):
                return True
            if given.auth_ref is None:
                return self.is_root(tx)
            given = self.delegations[given.auth_ref]

    def judge_roots(self, tx, _, event):
        f = fields(event, {'keys': list, 'threshold': int}, {'next': 32})
        ids = check_roots(f['keys'], f['threshold'], 'ate.roots')
        need(self.is_root(tx), 'ate.roots: not by the root keys')
        signed = {tx.author} | {sig[0] for sig in tx.further
                                if sig[1] == 'root'}
        need(len(signed & set(ids)) >= f['threshold'],
             'ate.roots: the new keys do not agree')
        need(self.next in (None, H('roots', encode(f['keys']), f['threshold'])),
             'ate.roots: another set than was promised')
        for record in f['keys']:
            self.learn(record)
        self.roots, self.root_ids = f['keys'], ids
        self.k, self.next = f['threshold'], f.get('next')
        self.state.put(CHAIN, 'roots', [self.roots, self.k, self.next])

    def may_order(self, tx):
        """The right `order` on the whole chain, or the root keys."""
        spot = (None, None)
        return self.is_root(tx) or any(
            'order' in given.rights and self.in_force(tx, given)
            and given.to in tx.authors | {tx.caller}
            and self.speaks_for(tx, given.to, spot)
            and self.covers(given, spot)
            for given in self.delegations.values())

    def judge_order(self, tx, _, event):
        f = fields(event, {'key': list, 'term': int})
        need(f['term'] == self.term + 1, 'ate.order: term %d after %d',
             f['term'], self.term)
        need(self.may_order(tx), 'ate.order: by nobody who may')
        self.learn(f['key'])
        self.term, self.order = f['term'], f['key']
        self.order_id = key_id(self.order)
        self.orders.append((tx.index, self.order))
        self.state.put(CHAIN, 'order', [self.term, self.order])

    def checkpoint_keys(self, size):
        """Who may sign a checkpoint of so many transactions: the key of the
        term that the last one stands in, or of the one that it ends."""
        last = size - 1
        before = [record for first, record in self.orders if first < last]
        within = [record for first, record in self.orders if first == last]
        return before[-1:] + within[-1:]
