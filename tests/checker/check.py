#!/usr/bin/python3
"""Check the folder of one chain as a stranger would, from docs/format.md alone.

    check.py FOLDER [--checkpoint FILE] [--receipt TEXT] [--state HEX]

What is checked: cur, both watermark slots, every frame with its checksums and
chain hash, every byte that has to be zero, canonical msgpack throughout,
event, transaction and object ids, event and batch roots, every signature,
author sequences, call ids, versions of objects, inline, stored and large
bodies, the log's Merkle tree against `seen` and heartbeats, the file of tiles, log time,
who may do what by root keys and delegations, the order key of each term, and
what a checkpoint or the checkpoint of a receipt says. What is left out, because
it takes Lua: whether rules allow the events, view rows, and what a bundle makes
of older objects, and what waits for workers; so verdict digests are recomputed
where no row changed, and the state root of --state is that of a schema without
views and workers.

Prints `N transactions, N signatures: all as recorded`; or what differs first,
with exit code 8. 3 when there is no such folder.
"""
import argparse
import itertools
import os
import re
import struct
import sys

sys.dont_write_bytecode = True
from folder import Bodies, Folder, read  # noqa: E402 (after the line above)
from note import check_note, check_receipt  # noqa: E402
from state import AUTHOR, CHAIN, OBJECT, State  # noqa: E402
from trust import (  # noqa: E402
    PARENTS_MAX, Transaction, Trust, fields, key_id)
from work import Work  # noqa: E402
from formats import (  # noqa: E402
    DELETES, H, Differs, Tree, array, decode, encode, need, sha256, signed,
    typed, u8)

SUITE = u8(1)
GENESIS, BATCH = 1, 2
BODY_MAX = 1 << 38
SEQUENCE_MAX = (1 << 63) - 1 - 4096
SEEN_FRAMES = 4096
ROOT_EVERY = 1 << 16
LIMITS = {'gas', 'memory', 'call_ms'}

# Words of the engine, by docs/format.md.
TYPE = re.compile(r'(?=.{3,128}\Z)[a-z0-9_]+\.[a-z0-9_]+\Z')
METHOD = re.compile(r'[a-z0-9_.]{1,128}\Z')
PURPOSE = re.compile(r'[a-z0-9_.-]{1,64}\Z')
STAGE = re.compile(r'[a-z0-9_.-]+\Z')
SEGMENT = re.compile(r'(?!\.)[^/\x00-\x1f\x7f]+\Z')


# ---- keys and signatures ----


def sigs_hash(batch_signature, further):
    parts = [batch_signature]
    for sig in further:
        parts += sig
    return H('sigs', *parts)


def check_further(further, what):
    """Shape and order of further signatures."""
    need(len(further) <= 64, '%s: more than 64', what)
    for sig in typed(further, (list,), what):
        array(sig, (32, str, 64), what)
        need(PURPOSE.match(sig[1]), '%s: no purpose', what)
    order = [(sig[0], sig[1].encode()) for sig in further]
    need(order == sorted(set(order)), '%s: not sorted, or one twice', what)
    return further


def check_reads(entries):
    """A read set: single entries and ranges, each once, in order."""
    order = []
    for entry in typed(entries, (list,), 'read set'):
        kind, key, _ = array(entry, (int, (bytes, list), 32), 'read set')
        if isinstance(key, bytes):
            need(kind in (2, 3), 'read set: an entry of kind %d', kind)
            order.append((kind, 0, key, b''))
        else:
            need(kind in (3, 0x41, 0x42), 'read set: a range of kind %d', kind)
            order.append((kind, 1, *array(key, (bytes, bytes), 'read set')))
    need(order == sorted(set(order)), 'read set: not sorted, or one twice')


# ---- tiles ----


def full_tiles(hashes):
    """Each full tile in the order in which it becomes full."""
    levels = [[] for _ in range(8)]
    for value in hashes:
        for level in levels:
            level.append(value)
            if len(level) < 256:
                break
            yield b''.join(level)
            nodes = level[:]
            level.clear()
            while len(nodes) > 1:
                nodes = [sha256(b'\1' + nodes[i] + nodes[i + 1])
                         for i in range(0, len(nodes), 2)]
            value = nodes[0]


# ---- the chain ----


class Event:
    """An event header."""

    def __init__(self, chain_id, raw):
        self.raw = raw
        self.id = H('event', SUITE, chain_id, raw)
        (self.object, self.type, self.parent, self.previous, self.author,
         self.auth_ref, self.flags, self.length, self.body_hash, self.seal,
         self.fields) = array(
             decode(raw, 'event header'),
             (16, str, (16, None), (32, None), 32, (32, None), int, int,
              (32, None), (list, None), dict), 'event header')
        need(len(raw) <= 64 << 10, 'an event header over 64 KiB')
        need(TYPE.match(self.type), 'no type: %r', self.type)
        need(self.flags & ~DELETES == 0, 'unknown flags')
        need(0 <= self.length <= BODY_MAX and
             (self.length == 0) == (self.body_hash is None),
             'body length and hash do not fit')


def spent(event, index, n, key):
    """What is kept of an object that this event deletes."""
    value = [event.id, index, n, event.type, event.parent,
             [event.fields[name] for name in key]]
    scale = event.fields.get('scale')
    if type(scale) is int and 0 <= scale <= 18:
        value.append(scale)
    return value


class Chain:
    """What the log adds up to, as far as no Lua is needed."""

    def __init__(self, folder):
        self.folder = folder
        self.id = None
        self.tree = Tree()
        self.roots = []     # after each number of leaves
        self.leaf_hashes = []
        self.signatures = 0
        self.verdicts = 0   # recomputed
        self.trust = None
        self.work = None
        self.next_sequence = {}
        self.ends = {}      # size at the end of a frame -> its number
        self.bundle = None  # the hash of the one in force
        self.activations = []
        self.rooted = None  # the state root that heartbeats may say, if known
        self.time = 0
        self.objects = {}   # id -> its newest event, be it the deletion
        self.state = State()
        self.call_ms = 0
        self.tx_ids = []
        self.types = {}     # type -> names of its key's fields, or None: fact

    def check(self):
        """Everything; the first thing that differs is raised."""
        marks = {}
        for frame in self.folder.frames():
            place = '%s: transaction %d, offset %d' % (
                self.folder.head_name, frame.index, frame.offset)
            try:
                self.check_frame(frame)
            except Differs as error:
                raise Differs('%s: %s' % (place, error))
            except (KeyError, TypeError, ValueError) as error:
                raise Differs('%s: malformed: %r' % (place, error))
            marks[frame.end] = (frame.sequence + 1, self.tree.size,
                                frame.chain_hash(), self.folder.body_end)
        need(marks, '%s: no frames', self.folder.head_name)
        self.check_slots(marks)
        self.folder.check_end(*self.folder.body_end)
        self.check_tiles()

    def check_tiles(self):
        """Each is of the leaves that were read, in its place."""
        expected = full_tiles(self.leaf_hashes)
        for place, data in self.folder.tiles():
            need(data == next(expected, None), 'tiles: tile %d differs', place)

    def check_frame(self, frame):
        first = frame.sequence == 0
        need(frame.type == (GENESIS if first else BATCH), 'frame of type %d',
             frame.type)
        bodies = Bodies(frame, self.folder.region(frame), self.folder.large)
        if first:
            need(frame.chain_hash() == self.folder.first_hash,
                 'not the first frame that cur names')
            self.check_genesis(frame, bodies)
        else:
            self.check_batch(frame, bodies)
        bodies.done()
        self.ends[self.tree.size] = frame.sequence

    def check_slots(self, marks):
        """Each watermark stands behind a frame and says what is below it."""
        need(self.folder.slots, '%s: no watermark', self.folder.head_name)
        counters = [slot.counter for slot in self.folder.slots]
        need(len(counters) == 1 or abs(counters[0] - counters[1]) == 1,
             '%s: watermarks of counters %s', self.folder.head_name, counters)
        for slot in self.folder.slots:
            need(slot.chain == self.id, 'a watermark of another chain')
            need(slot.generation == self.folder.generation,
                 'a watermark of another generation')
            need(slot.offset in marks, 'a watermark inside of a frame')
            frames, transactions, chain_hash, body_end = marks[slot.offset]
            need((slot.frames, slot.transactions, slot.chain_hash) ==
                 (frames, transactions, chain_hash),
                 'a watermark that counts otherwise')
            need((slot.segment, slot.body_offset) == body_end,
                 'a watermark with another end of the bodies')

    # -- genesis --

    def check_genesis(self, frame, bodies):
        raw, further = array(decode(frame.payload, 'payload'), (bytes, list),
                             'genesis payload')
        genesis = array(
            decode(raw, 'genesis'),
            (int, int, 16, int, str, str, list, int, (32, None), list, list,
             dict, str, 32, int), 'genesis')
        need(genesis[:2] == [1, SUITE], 'format or suite is unknown')
        need(frame.count == 1, 'genesis fills one index')
        self.id = H('genesis', raw)
        self.check_names()
        self.check_bounds(raw, genesis)
        self.time = genesis[3]
        self.call_ms = genesis[11].get('call_ms', 86400000)
        self.state.begin(genesis)
        self.trust = Trust(self, genesis)
        self.work = Work(self.trust)
        check_further(further, 'root signatures')
        for signer, purpose, signature in further:
            need(signer in self.trust.root_ids and purpose == 'root',
                 'not a root key')
            self.check_sig(self.trust.keys[signer], purpose, self.id, signature)
        need(len(further) >= self.trust.k, 'fewer than %d root signatures',
             self.trust.k)
        self.bundle = genesis[13]
        self.trust.bundles = bodies.take(genesis[14], genesis[13], 'bundle',
                                         True)
        self.check_bundle(self.trust.bundles)
        self.append(0, self.id, sigs_hash(b'', further), H('verdict'))

    def check_bounds(self, raw, genesis):
        """Sizes and words of genesis."""
        stages, limits = genesis[10], genesis[11]
        need(len(raw) <= 64 << 10 and 1 <= genesis[14] <= 1 << 20,
             'genesis or its bundle is too large')
        for name in (genesis[4], genesis[5]):
            need(len(name.encode()) <= 255 and
                 all(SEGMENT.match(part) for part in name.split('/')),
                 'no name: %r', name)
        need(1 <= len(stages) == len(set(stages)) <= 16 and
             all(STAGE.match(typed(name, (str,), 'stage')) for name in stages),
             'pipeline: %r', stages)
        need(set(limits) <= LIMITS and all(
            type(limit) is int and limit >= 0 for limit in limits.values()),
             'limits: %r', limits)
        need(1 <= limits.get('gas', 1) <= 16000000 and
             1 <= limits.get('memory', 1) <= 64 << 20, 'gas or memory')

    def check_names(self):
        """cur and the folder's name say which chain this is."""
        need(self.id.startswith(self.folder.id_start), 'cur names another chain')
        name = os.path.basename(os.path.realpath(self.folder.path))
        need(not re.fullmatch('[0-9a-f]{64}', name) or name == self.id.hex(),
             'the folder is named after another chain')

    def check_bundle(self, raw):
        main, modules = array(decode(raw, 'bundle'), (str, list), 'bundle')
        names = [array(module, (str, str, str), 'module')[0].encode()
                 for module in modules]
        need(names == sorted(set(names)) and main.encode() in names,
             'bundle: modules are not sorted, or the main one is missing')

    # -- signatures --

    def check_sig(self, record, purpose, tx_id, signature):
        text = H('sign', SUITE, self.id, purpose, tx_id)
        need(signed(record[1], text, signature), 'a further signature is wrong')
        self.signatures += 1

    # -- batches --

    def check_batch(self, frame, bodies):
        author, signature, members = array(
            decode(frame.payload, 'payload'), (32, 64, list), 'batch payload')
        need(1 <= len(members) <= 4096, '%d members', len(members))
        accepted = 0
        tx_ids = []
        for member in members:
            if isinstance(member, bytes):
                need(len(member) == 32, 'a refused member is a tx id')
                tx_ids.append(member)
                continue
            tx_id = self.check_member(frame.index + accepted, author, signature,
                                      member, bodies, len(members) == 1)
            tx_ids.append(tx_id)
            accepted += 1
        need(accepted == frame.count, 'the frame counts %d transactions, %d '
             'are there', frame.count, accepted)
        need(accepted > 0, 'nothing was accepted of it')
        text = H('batch', SUITE, self.id, len(tx_ids), Tree(tx_ids).root())
        need(signed(self.trust.keys[author][1], text, signature),
             'the batch signature is wrong')
        self.signatures += 1

    def check_member(self, index, author, batch_signature, member, bodies,
                     alone):
        raw, further, headers, reads, result, verdict = array(
            member, (bytes, list, list, (bytes, None), (bytes, None), 32),
            'member')
        tx_id = H('tx', SUITE, self.id, raw)
        header = array(decode(raw, 'tx header'),
                       (32, int, int, 32, int, (32, None), list), 'tx header')
        need(header[0] == author, 'a transaction of another author')
        events = [Event(self.id, typed(data, (bytes,), 'event header'))
                  for data in headers]
        need(1 <= len(events) == header[2] <= 4096,
             '%d events, the header counts %d', len(events), header[2])
        need(len(raw) <= 1 << 10 and
             sum(len(data) for data in headers) <= 1 << 20,
             'headers over their bounds')
        need(Tree([event.id for event in events]).root() == header[3],
             'the event root differs')
        self.check_seen(header[4], header[5])
        call = self.check_call(header[6], reads, result)
        self.check_further_sigs(further, events, tx_id)
        tx = Transaction(index, self.time, author, call, further)
        self.state.changed.clear()
        self.check_heartbeat(tx, events)
        self.apply(tx, events, bodies, alone)
        self.check_sequence(author, header[1], header[2])
        if call[1] != 'ate.heartbeat':
            self.state.put_call(index, call, self.time, self.call_ms)
        self.check_verdict(events, verdict)
        self.append(index, tx_id, sigs_hash(batch_signature, further), verdict)
        return tx_id

    def check_seen(self, size, root):
        """Nothing, or the log at the end of a frame that is not too old."""
        end = self.ends.get(size, -SEEN_FRAMES)
        need(size == 0 or len(self.ends) - end <= SEEN_FRAMES, 'seen %d '
             'transactions: not at the end of one of the last frames', size)
        need(root == (self.roots[size - 1] if size else None),
             'it saw another log of %d transactions', size)

    def check_call(self, call, reads, result):
        array(call, (16, str, (32, None), (32, None), (32, None), (32, None),
                     (32, None), (32, None)), 'call')
        for section, label, digest in ((reads, 'reads', call[4]),
                                       (result, 'result', call[5])):
            # A section may have been dropped, its digest stays.
            need(section is None or H(label, section) == digest,
                 '%s: the digest differs', label)
            if section is not None:
                need(1 <= len(section) <= 64 << 10, '%s: %d bytes', label,
                     len(section))
                decode(section, label)
        if reads is not None:
            check_reads(decode(reads, 'reads'))
        need(METHOD.match(call[1]), 'no method: %r', call[1])
        need(call[7] is None, 'tokens are not known to this program')
        need(call[0] not in self.state.call_times,
             'call id %s for a second time', call[0].hex())
        if call[1] == 'ate.heartbeat':
            need(call[2:] == [None] * 6, 'a heartbeat that says more')
        else:
            need(call[2] == self.bundle, 'a call under another bundle')
        return call

    def check_further_sigs(self, further, events, tx_id):
        """Each is good, by a key that is known or comes along."""
        brought = {}
        for event in events:
            records = []
            if event.type == 'ate.key':
                f = fields(event, {'suite': int, 'sign': 32, 'box': 32})
                records = [[f['suite'], f['sign'], f['box']]]
            elif event.type == 'ate.roots':
                records = typed(event.fields.get('keys'), (list,), 'ate.roots')
            brought.update((key_id(record), record) for record in records)
        for sig in check_further(further, 'further signatures'):
            need(sig[1] in ('author', 'root'), 'a signature for %r', sig[1])
            record = self.trust.keys.get(sig[0]) or brought.get(sig[0])
            need(record, 'a signature by an unknown key')
            self.check_sig(record, sig[1], tx_id, sig[2])

    def check_sequence(self, author, first, count):
        need(author in self.trust.keys, 'the author is unknown')
        need(self.next_sequence.get(author, 0) <= first <= SEQUENCE_MAX,
             'sequence %d was used before', first)
        self.next_sequence[author] = first + count
        self.state.put(AUTHOR, author, [first + count, self.trust.keys[author]])

    # -- events --

    def apply(self, tx, events, bodies, alone):
        """Give each event its place."""
        self.trust.check_caller(tx)
        for n, event in enumerate(events):
            need(event.author == tx.author, 'an event of another author')
            need(event.seal is None, 'seals are not known to this program')
            is_bundle = event.type == 'ate.bundle'
            body = None
            if event.length:
                body = bodies.take(event.length, event.body_hash, event.type,
                                   is_bundle)
            if event.type.startswith('ate.'):
                self.check_plain(tx, n, event)
                self.apply_own(tx, n, events, body, alone)
            else:
                self.apply_object(tx, n, event)
        if any(event.type == 'ate.key' for event in events):
            need(self.trust.is_root(tx) or any(
                not event.type.startswith('ate.') for event in events),
                 'ate.key: nothing that the pipeline takes follows')

    def apply_own(self, tx, n, events, body, alone):
        event = events[n]
        if event.type == 'ate.heartbeat':
            self.time = event.fields['time']
            self.state.put(CHAIN, 'time', self.time)
        elif event.type == 'ate.bundle':
            fields(event, {})
            need(self.trust.is_root(tx), 'ate.bundle: not by the root keys')
            self.check_bundle(typed(body, (bytes,), 'ate.bundle'))
            self.trust.bundles += body
            self.state.put(CHAIN, 'next', [event.body_hash, tx.index, n])
        elif event.type == 'ate.activate':
            self.activate(tx, event, alone and len(events) == 1)
        elif event.type in ('ate.work', 'ate.ask', 'ate.answer'):
            self.work.judge(tx, n, event)
        else:
            self.trust.judge(tx, n, event, [e.type for e in events[:n]])

    def activate(self, tx, event, alone):
        """What it makes of what was there takes Lua."""
        f = fields(event, {'bundle': 32}, {'state': 32})
        need(alone, 'ate.activate: not alone')
        need(self.trust.is_root(tx), 'ate.activate: not by the root keys')
        waits = self.state.entries.get((CHAIN, 'next'))
        need(waits and decode(waits, 'next')[0] == f['bundle'],
             'ate.activate: of another bundle')
        self.bundle = f['bundle']
        self.activations.append([tx.index, self.bundle])
        self.state.put(CHAIN, 'bundle', self.bundle)
        self.state.put(CHAIN, 'bundles', self.activations)
        self.state.drop(CHAIN, 'next')

    def apply_object(self, tx, n, event):
        is_first = event.object not in self.objects
        self.check_object(tx.author, tx.call, n, event)
        right = 'create' if is_first else (
            'delete' if event.flags & DELETES else 'write')
        self.trust.check_event(tx, event, right)
        self.objects[event.object] = event
        if event.flags & DELETES:
            self.state.put(OBJECT, event.object, spent(
                event, tx.index, n, self.types[event.type]))
        else:
            self.state.put(OBJECT, event.object,
                           [event.id, tx.index, n, event.raw])

    def check_plain(self, tx, n, event):
        """Types of the engine are bare facts and no objects of the state."""
        need(event.object == self.object_id(None, tx.author, tx.call, n, event)
             and (event.parent, event.previous, event.flags) == (None, None, 0),
             '%s: not a bare fact', event.type)
        has_body = event.type in ('ate.bundle', 'ate.ask', 'ate.answer')
        need((event.length > 0) == has_body, '%s: its body', event.type)
        need(event.auth_ref is None or event.type == 'ate.delegation',
             '%s: rests on a delegation', event.type)

    def check_object(self, author, call, n, event):
        """Its id, and what it says of the version before."""
        if event.object in self.objects:
            newest = self.objects[event.object]
            need(not newest.flags & DELETES,
                 '%s: its object was deleted', event.type)
            need(event.previous == newest.id and event.type == newest.type
                 and event.parent == newest.parent,
                 '%s: not a version of the newest one', event.type)
            # An activation may have converted the fields since.
            need(not event.flags & DELETES or event.length == 0 and
                 (event.fields == newest.fields or self.activations),
                 '%s: deleted with other fields than its last', event.type)
            self.check_key(author, call, n, event)
            return
        need(event.previous is None and not event.flags & DELETES,
             '%s: a version of what is not there', event.type)
        above = event.parent
        for _ in range(PARENTS_MAX):
            above = self.objects[above].parent if above in self.objects else None
        need(above is None, '%s: too many objects above it', event.type)
        if event.type not in self.types:
            self.types[event.type] = self.find_key(author, call, n, event)
        self.check_key(author, call, n, event)

    def check_key(self, author, call, n, event):
        """Key fields never change; an edited fact does not exist."""
        need(event.object == self.object_id(self.types[event.type], author,
                                            call, n, event),
             '%s: the object id differs', event.type)

    def object_id(self, key, author, call, n, event):
        if key is None:
            return H('fact', self.id, author, call[0], n)[:16]
        values = encode([event.fields.get(name) for name in key])
        return H('object', self.id, event.type, event.parent or bytes(16),
                 values)[:16]

    def find_key(self, author, call, n, event):
        """The key of a type stands in Lua; that some fields give the id of its
        first object shows what it is, and the others have to agree."""
        names = sorted(event.fields)
        for count in range(4):
            for key in itertools.permutations(names, count):
                key = key or None
                if event.object == self.object_id(key, author, call, n, event):
                    return key
        raise Differs('%s: no fields give its object id' % event.type)

    def check_heartbeat(self, tx, events):
        """Where there is one, it is alone, and of the order key of the term;
        what its method says is what it is."""
        is_one = any(event.type == 'ate.heartbeat' for event in events)
        need(is_one == (tx.call[1] == 'ate.heartbeat'),
             'method %s, and events of another kind', tx.call[1])
        if not is_one:
            return
        need(len(events) == 1 and not tx.further, 'a heartbeat is not alone')
        need(tx.author == self.trust.order_id, 'a heartbeat of another key')
        f = fields(events[0], {'time': int, 'size': int, 'root': 32},
                   {'state': 32})
        need(f['time'] >= max(self.time, 0), 'log time goes back')
        need(f['size'] == tx.index, 'a heartbeat of another size')
        need(f['root'] == self.tree.root(), 'a heartbeat of another log')
        if 'state' in f:
            need(f['size'] >= ROOT_EVERY, 'a state root too early')
            need(self.rooted in (None, f['state']), 'the state root differs')

    def check_verdict(self, events, verdict):
        """Events of the engine change no rows; others, and another bundle,
        may."""
        if self.state.verdict(events) == verdict:
            self.verdicts += 1
        else:
            need(any(not event.type.startswith('ate.') or
                     event.type == 'ate.activate' for event in events),
                 'the verdict digest differs')

    def append(self, index, tx_id, sigs, verdict):
        leaf = (bytes([SUITE]) + struct.pack('>Q', index) + tx_id + sigs +
                verdict)
        self.tree.append(leaf)
        self.leaf_hashes.append(sha256(b'\0' + leaf))
        self.roots.append(self.tree.root())
        self.tx_ids.append(tx_id)
        if self.tree.size % ROOT_EVERY == 0:
            # Known where everything was recomputed: no row of a view is there.
            known = (self.verdicts == self.tree.size - 1
                     and not self.activations
                     and b':worker(' not in self.trust.bundles)
            self.rooted = self.state.root() if known else None


def main():
    parser = argparse.ArgumentParser(
        description='Check the folder of one chain from docs/format.md alone.')
    parser.add_argument('folder', metavar='FOLDER')
    parser.add_argument('--checkpoint', metavar='FILE',
                        help='a signed note that the chain has to fit')
    parser.add_argument('--receipt', metavar='TEXT',
                        help='a receipt in base64 that it has to fit')
    parser.add_argument('--root', metavar='HEX',
                        help='the root of its log, all of it')
    parser.add_argument('--state', metavar='HEX',
                        help='state root at its end, of a schema without views')
    options = parser.parse_args()
    if not os.path.isdir(options.folder):
        sys.stderr.write('check: %s: no such folder\n' % options.folder)
        return 3
    try:
        chain = Chain(Folder(options.folder))
        chain.check()
        if options.checkpoint:
            check_note(chain, read(options.checkpoint))
        if options.receipt:
            check_receipt(chain, options.receipt)
        if options.root:
            need(chain.tree.root().hex() == options.root,
                 'the root is %s', chain.tree.root().hex())
        if options.state:
            need(chain.state.root().hex() == options.state,
                 'the state root is %s', chain.state.root().hex())
    except Differs as error:
        sys.stderr.write('check: %s: %s\n' % (options.folder, error))
        return 8
    print('%d transactions, %d signatures: all as recorded' % (
        chain.tree.size, chain.signatures))
    return 0


if __name__ == '__main__':
    sys.exit(main())
