#!/usr/bin/python3
"""Check the folder of one chain as a stranger would, from docs/format.md alone.

    check.py FOLDER [--checkpoint FILE] [--receipt TEXT] [--state HEX]

What is checked: cur, both watermark slots, every frame with its checksums and
chain hash, every byte that has to be zero, canonical msgpack throughout,
event, transaction and object ids, event and batch roots, every signature,
author sequences, call ids, versions of objects, inline and stored bodies, the
log's Merkle tree against `seen` and heartbeats, the file of tiles, log time,
and what a checkpoint or the checkpoint of a receipt says. What is left out,
because it takes Lua: whether rules allow the events, and view rows; so verdict
digests are recomputed where no row changed, and the state root of --state is
that of a schema without views.

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
from formats import (  # noqa: E402
    H, Differs, Tree, array, decode, encode, need, sha256, signed, typed, u8)

SUITE = u8(1)
GENESIS, BATCH = 1, 2
DELETES = 1
BODY_MAX = (1 << 30) - (512 << 10)
SEQUENCE_MAX = (1 << 63) - 1 - 4096

# Words of the engine, by docs/format.md.
TYPE = re.compile(r'(?=.{3,128}\Z)[a-z0-9_]+\.[a-z0-9_]+\Z')
METHOD = re.compile(r'[a-z0-9_.]{1,128}\Z')
PURPOSE = re.compile(r'[a-z0-9_.-]{1,64}\Z')
STAGE = re.compile(r'[a-z0-9_.-]+\Z')
SEGMENT = re.compile(r'(?!\.)[^/\x00-\x1f\x7f]+\Z')


# ---- keys and signatures ----


def key_id(record):
    array(record, (int, 32, 32), 'key record')
    need(record[0] == SUITE, 'suite %d is unknown', record[0])
    return H('key', encode(record))


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
        self.keys = {}      # key id -> key record
        self.next_sequence = {}
        self.order = None   # key record
        self.time = 0
        self.objects = {}   # id -> its newest event, or None: spent
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
        bodies = Bodies(frame, self.folder.region(frame))
        if first:
            need(frame.chain_hash() == self.folder.first_hash,
                 'not the first frame that cur names')
            self.check_genesis(frame, bodies)
        else:
            self.check_batch(frame, bodies)
        bodies.done()

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
        self.time, roots, k = genesis[3], genesis[6], genesis[7]
        root_ids = {key_id(record): record for record in roots}
        need(1 <= k <= len(roots) == len({record[1] for record in roots}),
             'k of the root keys')
        self.check_bounds(raw, genesis)
        self.order = genesis[8 + 1]
        self.keys = {**root_ids, key_id(self.order): self.order}
        self.call_ms = genesis[11].get('call_ms', 86400000)
        self.state.begin(genesis, self.keys)
        check_further(further, 'root signatures')
        for signer, purpose, signature in further:
            need(signer in root_ids and purpose == 'root', 'not a root key')
            self.check_sig(root_ids[signer], purpose, self.id, signature)
        need(len(further) >= k, 'fewer than %d root signatures', k)
        self.bundle = bodies.take(genesis[14], genesis[13], 'bundle', True)
        self.check_bundle()
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
        need(len(limits) <= 64 and all(type(limit) is int and limit >= 0
                                       for limit in limits.values()), 'limits')
        need(1 <= limits.get('gas', 1) <= 16000000 and
             1 <= limits.get('memory', 1) <= 64 << 20, 'gas or memory')

    def check_names(self):
        """cur and the folder's name say which chain this is."""
        need(self.id.startswith(self.folder.id_start), 'cur names another chain')
        name = os.path.basename(os.path.realpath(self.folder.path))
        need(not re.fullmatch('[0-9a-f]{64}', name) or name == self.id.hex(),
             'the folder is named after another chain')

    def check_bundle(self):
        main, modules = array(decode(self.bundle, 'bundle'), (str, list),
                              'bundle')
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
                                      member, bodies)
            tx_ids.append(tx_id)
            accepted += 1
        need(accepted == frame.count, 'the frame counts %d transactions, %d '
             'are there', frame.count, accepted)
        need(author in self.keys, 'the author is unknown')
        text = H('batch', SUITE, self.id, len(tx_ids), Tree(tx_ids).root())
        need(signed(self.keys[author][1], text, signature),
             'the batch signature is wrong')
        self.signatures += 1

    def check_member(self, index, author, batch_signature, member, bodies):
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
        self.check_seen(index, header[4], header[5])
        call = self.check_call(header[6], reads, result)
        self.take_key(author, events)
        self.check_sequence(author, header[1], header[2])
        for sig in check_further(further, 'further signatures'):
            need(sig[0] in self.keys, 'a signature by an unknown key')
            self.check_sig(self.keys[sig[0]], sig[1], tx_id, sig[2])
        changed = self.apply(index, author, call, events, bodies)
        if not self.check_heartbeat(index, author, events):
            self.state.put_call(index, call, self.time, self.call_ms)
        self.check_verdict(events, changed, verdict)
        self.append(index, tx_id, sigs_hash(batch_signature, further), verdict)
        return tx_id

    def check_seen(self, index, size, root):
        need(0 <= size <= index, 'seen %d transactions at index %d', size, index)
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
        need(METHOD.match(call[1]), 'no method: %r', call[1])
        used = self.state.call_times.get(call[0])
        need(used is None or self.time - used > self.call_ms,
             'call id %s for a second time', call[0].hex())
        return call

    def take_key(self, author, events):
        """A new author says who they are in their first event."""
        for n, event in enumerate(events):
            if event.type != 'ate.key':
                continue
            need(n == 0 and author not in self.keys, 'ate.key is out of place')
            need(sorted(event.fields) == ['box', 'sign', 'suite'], 'ate.key')
            record = [event.fields[name] for name in ('suite', 'sign', 'box')]
            need(key_id(record) == author, 'the key of somebody else')
            self.keys[author] = record
        need(author in self.keys, 'the author is unknown')

    def check_sequence(self, author, first, count):
        need(self.next_sequence.get(author, 0) <= first <= SEQUENCE_MAX,
             'sequence %d was used before', first)
        self.next_sequence[author] = first + count
        self.state.put(AUTHOR, author, [first + count, self.keys[author]])

    # -- events --

    def apply(self, index, author, call, events, bodies):
        """Give each event its place; the ids of objects that changed."""
        changed = set()
        for n, event in enumerate(events):
            need(event.author == author, 'an event of another author')
            need(event.seal is None and event.auth_ref is None,
                 'seals and delegations are not known to this program')
            if event.length:
                bodies.take(event.length, event.body_hash, event.type)
            if event.type.startswith('ate.'):
                self.check_plain(author, call, n, event)
                continue
            self.check_object(author, call, n, event)
            if event.flags & DELETES:
                self.objects[event.object] = None
                self.state.put(OBJECT, event.object, spent(
                    event, index, n, self.types[event.type]))
            else:
                self.objects[event.object] = event
                self.state.put(OBJECT, event.object,
                               [event.id, index, n, event.raw])
            changed.add(event.object)
        return changed

    def check_plain(self, author, call, n, event):
        """Types of the engine are bare facts and no objects of the state."""
        need(event.type in ('ate.key', 'ate.heartbeat'), '%s: unknown type',
             event.type)
        need(event.object == self.object_id(None, author, call, n, event) and
             (event.parent, event.previous, event.flags, event.length) ==
             (None, None, 0, 0), '%s: not a bare fact', event.type)

    def check_object(self, author, call, n, event):
        """Its id, and what it says of the version before."""
        if event.object in self.objects:
            need(self.objects[event.object] is not None,
                 '%s: its object was deleted', event.type)
            newest = self.objects[event.object]
            need(event.previous == newest.id and event.type == newest.type
                 and event.parent == newest.parent,
                 '%s: not a version of the newest one', event.type)
            need(not event.flags & DELETES or
                 (event.fields, event.length) == (newest.fields, 0),
                 '%s: deleted with other fields than its last', event.type)
            self.check_key(author, call, n, event)
            return
        need(event.previous is None and not event.flags & DELETES,
             '%s: a version of what is not there', event.type)
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

    def check_heartbeat(self, index, author, events):
        """Is it one, and then a good one?"""
        for event in events:
            if event.type != 'ate.heartbeat':
                continue
            need(len(events) == 1, 'a heartbeat is not alone')
            need(author == key_id(self.order), 'a heartbeat of another key')
            need(set(event.fields) <= {'time', 'size', 'root', 'state'},
                 'unknown fields in a heartbeat')
            need(event.fields['time'] >= self.time, 'log time goes back')
            need(event.fields['size'] == index, 'a heartbeat of another size')
            need(event.fields['root'] == self.tree.root(),
                 'a heartbeat of another log')
            self.time = event.fields['time']
            self.state.put(CHAIN, 'time', self.time)
            return True
        return False

    def check_verdict(self, events, changed, verdict):
        """Events of the engine change no rows; others may."""
        parts = [event.id for event in events]
        for object_id in sorted(changed):
            parts += [OBJECT, object_id, self.state.entries[OBJECT, object_id]]
        if H('verdict', *parts) == verdict:
            self.verdicts += 1
        else:
            need(any(not event.type.startswith('ate.') for event in events),
                 'the verdict digest differs')

    def append(self, index, tx_id, sigs, verdict):
        leaf = (bytes([SUITE]) + struct.pack('>Q', index) + tx_id + sigs +
                verdict)
        self.tree.append(leaf)
        self.leaf_hashes.append(sha256(b'\0' + leaf))
        self.roots.append(self.tree.root())
        self.tx_ids.append(tx_id)


def main():
    parser = argparse.ArgumentParser(
        description='Check the folder of one chain from docs/format.md alone.')
    parser.add_argument('folder', metavar='FOLDER')
    parser.add_argument('--checkpoint', metavar='FILE',
                        help='a signed note that the chain has to fit')
    parser.add_argument('--receipt', metavar='TEXT',
                        help='a receipt in base64 that it has to fit')
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
