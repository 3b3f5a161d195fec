#!/usr/bin/python3
"""Check what a transparency log shows, from C2SP's pages signed-note,
tlog-checkpoint, tlog-tiles and tlog-proof and from RFC 9162 alone: nothing here
knows what the log is about.

    tlog.py tree DIR --vkey VKEY [--since FILE]
    tlog.py proof FILE --vkey VKEY --leaf HEX

`tree` reads a published tree: the checkpoint's signature, every tile that its
size demands, each hash of a level above the first against the tile below it,
every entry against its leaf hash, and the root. With --since the checkpoint of
an earlier state has to be consistent with it: a proof is made from the tiles and
checked as RFC 9162, 2.1.4.2, says. `proof` checks a tlog-proof of a leaf. Prints
what was found; exit code 8 where something differs.
"""
import argparse
import base64
import hashlib
import os
import re
import sys

sys.dont_write_bytecode = True
from formats import signed  # noqa: E402 (libsodium's Ed25519, nothing else)

WIDTH = 256


class Wrong(Exception):
    """Something is not as the log's pages say."""


def need(condition, text, *values):
    if not condition:
        raise Wrong(text % values)


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(leaf):
    return sha256(b'\0' + leaf)


def node_hash(left, right):
    return sha256(b'\1' + left + right)


def read(*path):
    try:
        with open(os.path.join(*path), 'rb') as file:
            return file.read()
    except OSError as error:
        raise Wrong('%s: %s' % (os.path.join(*path), error.strerror))


def from_base64(text, size, what):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Wrong('%s: %s' % (what, error))
    need(len(data) == size and base64.b64encode(data).decode() == text,
         '%s: not %d bytes in base64', what, size)
    return data


# ---- notes ----


class Verifier:
    """A vkey: <name>+<key id>+<base64 of type and public key>."""

    def __init__(self, vkey):
        found = re.fullmatch(r'([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)',
                             vkey)
        need(found, 'no vkey: %s', vkey)
        self.name = found.group(1)
        data = from_base64(found.group(3), 33, 'vkey')
        need(data[0] == 1, 'vkey: not of Ed25519')
        self.key = data[1:]
        self.id = sha256(self.name.encode() + b'\n' + data)[:4]
        need(self.id.hex() == found.group(2), 'vkey: its id is another one')


class Checkpoint:
    """A signed note of three lines that a verifier accepts."""

    def __init__(self, data, verifier):
        try:
            note = data.decode()
        except UnicodeDecodeError:
            raise Wrong('checkpoint: not UTF-8')
        need(not re.search('[\0-\x09\x0b-\x1f]', note),
             'checkpoint: control characters')
        text, empty, lines = note.rpartition('\n\n')
        need(empty and lines.endswith('\n'), 'checkpoint: not a note')
        text += '\n'
        self.check_signatures(text, lines, verifier)
        body = text.split('\n')
        need(len(body) >= 4 and '' not in body[:-1], 'checkpoint: %d lines',
             len(body) - 1)
        self.origin = body[0]
        need(self.origin == verifier.name, 'checkpoint: of %s', self.origin)
        need(re.fullmatch('0|[1-9][0-9]*', body[1]), 'checkpoint: no size')
        self.size = int(body[1])
        self.root = from_base64(body[2], 32, 'checkpoint: root')

    @staticmethod
    def check_signatures(text, lines, verifier):
        good = False
        for line in lines[:-1].split('\n'):
            found = re.fullmatch('\u2014 ([^ +]+) ([A-Za-z0-9+/=]+)', line)
            need(found, 'checkpoint: a signature line is malformed')
            data = base64.b64decode(found.group(2), validate=True)
            if found.group(1) != verifier.name or data[:4] != verifier.id:
                continue  # of somebody else
            need(signed(verifier.key, text.encode(), data[4:]),
                 'checkpoint: the signature is wrong')
            good = True
        need(good, 'checkpoint: the key did not sign it')


# ---- proofs ----


def check_inclusion(leaf, index, size, hashes, root):
    """RFC 9162, 2.1.3.2."""
    need(0 <= index < size, 'no leaf %d among %d', index, size)
    fn, sn, r = index, size - 1, leaf
    for p in hashes:
        need(sn != 0, 'inclusion: too many hashes')
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0, 'inclusion: too few hashes')
    need(r == root, 'inclusion: another root')


def check_consistency(first, first_root, second, second_root, hashes):
    """RFC 9162, 2.1.4.2."""
    need(0 < first <= second, 'no tree of %d before one of %d', first, second)
    if first == second:
        need(not hashes and first_root == second_root, 'consistency: roots')
        return
    need(hashes, 'consistency: no hashes')
    if first & (first - 1) == 0:
        hashes = [first_root] + hashes
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = hashes[0]
    for c in hashes[1:]:
        need(sn != 0, 'consistency: too many hashes')
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0, 'consistency: too few hashes')
    need(fr == first_root, 'consistency: another root of %d', first)
    need(sr == second_root, 'consistency: another root of %d', second)


# ---- trees ----


def tile_path(level, n, width):
    parts = ['%03d' % (n % 1000)]
    while n >= 1000:
        n //= 1000
        parts.insert(0, 'x%03d' % (n % 1000))
    path = 'tile/%s/%s' % (level, '/'.join(parts))
    return path if width == WIDTH else '%s.p/%d' % (path, width)


class TileTree:
    """The tiles of a tree of some size."""

    def __init__(self, folder, size):
        self.folder, self.size = folder, size
        self.tiles = {}

    def widths(self, level):
        """(n, width) of each tile of a level."""
        hashes = self.size >> 8 * level
        for n in range(hashes // WIDTH):
            yield n, WIDTH
        if hashes % WIDTH:
            yield hashes // WIDTH, hashes % WIDTH

    def tile(self, level, n, width):
        if (level, n) not in self.tiles:
            path = tile_path(level, n, width)
            data = read(self.folder, path)
            need(len(data) == 32 * width, '%s: %d bytes', path, len(data))
            self.tiles[level, n] = [data[at:at + 32]
                                    for at in range(0, len(data), 32)]
        return self.tiles[level, n]

    def hash(self, level, index):
        n = index // WIDTH
        width = min(WIDTH, (self.size >> 8 * level) - n * WIDTH)
        return self.tile(level, n, width)[index % WIDTH]

    def subtree(self, height, index):
        """The root of 2^height leaves: from the tile that begins with them."""
        level, up = divmod(height, 8)
        hashes = [self.hash(level, (index << up) + i) for i in range(1 << up)]
        while len(hashes) > 1:
            hashes = [node_hash(*hashes[i:i + 2])
                      for i in range(0, len(hashes), 2)]
        return hashes[0]

    def mth(self, start, end):
        """MTH(D[start:end]), as RFC 9162, 2.1.1, defines it."""
        count = end - start
        if count == 0:
            return sha256(b'')
        if count & (count - 1) == 0 and start % count == 0:
            height = count.bit_length() - 1
            return self.subtree(height, start >> height)
        k = 1 << (count - 1).bit_length() - 1
        return node_hash(self.mth(start, start + k), self.mth(start + k, end))

    def consistency(self, first):
        """PROOF(first, D[size]) of 2.1.4.1."""
        def subproof(m, start, end, b):
            count = end - start
            if m == count:
                return [] if b else [self.mth(start, end)]
            k = 1 << (count - 1).bit_length() - 1
            if m <= k:
                return (subproof(m, start, start + k, b) +
                        [self.mth(start + k, end)])
            return (subproof(m - k, start + k, end, False) +
                    [self.mth(start, start + k)])
        return subproof(first, 0, self.size, True)

    def check(self):
        """Every tile, against the level below it; every entry."""
        for level in range(8):
            for n, width in self.widths(level):
                tile = self.tile(level, n, width)
                if level == 0:
                    self.check_entries(n, width, tile)
                    continue
                for i, value in enumerate(tile):
                    below = self.tile(level - 1, n * WIDTH + i, WIDTH)
                    while len(below) > 1:
                        below = [node_hash(*below[k:k + 2])
                                 for k in range(0, len(below), 2)]
                    need(below[0] == value, '%s: hash %d',
                         tile_path(level, n, width), i)

    def check_entries(self, n, width, tile):
        path = tile_path('entries', n, width)
        data = read(self.folder, path)
        at = 0
        for i, value in enumerate(tile):
            size = int.from_bytes(data[at:at + 2], 'big')
            entry = data[at + 2:at + 2 + size]
            need(len(entry) == size and leaf_hash(entry) == value,
                 '%s: entry %d', path, i)
            at += 2 + size
        need(at == len(data), '%s: something behind its entries', path)


def check_tree(options):
    verifier = Verifier(options.vkey)
    now = Checkpoint(read(options.place, 'checkpoint'), verifier)
    tree = TileTree(options.place, now.size)
    tree.check()
    need(tree.mth(0, now.size) == now.root, 'the tiles come to another root')
    if options.since:
        then = Checkpoint(read(options.since), verifier)
        need(then.size <= now.size, 'the tree has become smaller')
        check_consistency(then.size, then.root, now.size, now.root,
                          tree.consistency(then.size))
    print('%d leaves of %s: as promised' % (now.size, now.origin))


def parse_proof(data):
    """(extra, index, hashes, checkpoint) of a tlog-proof."""
    head, empty, checkpoint = data.partition(b'\n\n')
    need(empty, 'proof: no checkpoint')
    try:
        lines = head.decode().split('\n')
    except UnicodeDecodeError:
        raise Wrong('proof: not UTF-8')
    need(lines.pop(0) == 'c2sp.org/tlog-proof@v1', 'proof: its first line')
    extra = None
    if lines and lines[0].startswith('extra '):
        extra = base64.b64decode(lines.pop(0)[6:], validate=True)
    found = lines and re.fullmatch('index (0|[1-9][0-9]*)', lines.pop(0))
    need(found, 'proof: no index')
    hashes = [from_base64(line, 32, 'proof: hash') for line in lines]
    return extra, int(found.group(1)), hashes, checkpoint


def check_proof(options):
    _, index, hashes, note = parse_proof(read(options.place))
    checkpoint = Checkpoint(note, Verifier(options.vkey))
    check_inclusion(leaf_hash(bytes.fromhex(options.leaf)), index,
                    checkpoint.size, hashes, checkpoint.root)
    print('leaf %d of %d: as promised' % (index, checkpoint.size))


def main():
    parser = argparse.ArgumentParser(description='Check a transparency log.')
    commands = parser.add_subparsers(dest='command', required=True)
    for name, run in (('tree', check_tree), ('proof', check_proof)):
        command = commands.add_parser(name)
        command.add_argument('place', metavar='FILE or DIR')
        command.add_argument('--vkey', required=True)
        command.set_defaults(run=run)
        if name == 'tree':
            command.add_argument('--since', metavar='FILE')
        else:
            command.add_argument('--leaf', metavar='HEX', required=True)
    options = parser.parse_args()
    try:
        options.run(options)
    except (Wrong, ValueError) as error:
        sys.stderr.write('tlog: %s: %s\n' % (options.place, error))
        return 8
    return 0


if __name__ == '__main__':
    sys.exit(main())
