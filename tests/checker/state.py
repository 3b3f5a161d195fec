"""The state of a chain as far as no Lua is needed (docs/format.md section 6):
entries of the chain, its objects, delegations, authors and calls, and the root,
which is that of the whole state when the schema has no views."""
from formats import H, encode, u8

CHAIN, OBJECT, DELEGATION, AUTHOR, CALL = u8(1), u8(2), u8(4), u8(6), u8(8)


class State:
    """Entries (kind, key) -> encoded value."""

    def __init__(self):
        self.entries = {}
        self.changed = set()  # of kinds 2 to 5, by the transaction at hand
        self.call_times = {}  # call id -> log time

    def put(self, kind, key, value):
        self.entries[kind, key] = encode(value)
        if OBJECT <= kind <= 5:
            self.changed.add((kind, key))

    def drop(self, kind, key):
        self.entries.pop((kind, key), None)

    def begin(self, genesis):
        """What genesis leaves, but for authors."""
        self.put(CHAIN, 'roots', [genesis[6], genesis[7], genesis[8]])
        self.put(CHAIN, 'order', [1, genesis[9]])
        self.put(CHAIN, 'bundle', genesis[13])
        self.put(CHAIN, 'time', genesis[3])

    def put_call(self, index, call, time, keep_ms):
        """A call; those that are too old go. Log time never goes back, so the
        oldest stand in front."""
        while self.call_times:
            old, at = next(iter(self.call_times.items()))
            if at >= time - keep_ms:
                break
            del self.entries[CALL, old]
            del self.call_times[old]
        self.put(CALL, call[0], [index, call[3], call[5]])
        self.call_times[call[0]] = time

    def verdict(self, events):
        """The digest over the events' ids and the entries that changed."""
        parts = [event.id for event in events]
        for kind, key in sorted(self.changed):
            parts += [kind, key, self.entries.get((kind, key))]
        return H('verdict', *parts)

    def root(self):
        leaves = []
        for (kind, key), value in self.entries.items():
            slot = H('slot', kind, key)
            leaves.append((slot, H('leaf', slot, value)))
        return node(sorted(leaves)) if leaves else bytes(32)


def is_set(slot, bit):
    return slot[bit // 8] >> 7 - bit % 8 & 1


def node(leaves):
    """Over leaves (slot, hash), sorted by slot: split where the first and the
    last slot differ first."""
    if len(leaves) == 1:
        return leaves[0][1]
    differing = (int.from_bytes(leaves[0][0], 'big') ^
                 int.from_bytes(leaves[-1][0], 'big'))
    bit = 256 - differing.bit_length()
    middle = next(i for i, (slot, _) in enumerate(leaves) if is_set(slot, bit))
    return H('node', bit, node(leaves[:middle]), node(leaves[middle:]))
