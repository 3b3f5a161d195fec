#!/usr/bin/python3
"""Does check.py see every change of one byte?

    flips.py FOLDER [--count N] [--seed N] [--ate PROGRAM]

Copies the folder of a good chain, flips one bit of one byte at N random places
in all its files that others read, and demands that check.py refuses each copy. In a second round
the byte stands in a payload or an inline body, and checksums, chain hashes,
watermarks and cur are all made good again, as somebody would who wants to
deceive: then ids, roots and signatures have to find it, or the root that
somebody's checkpoint of the good chain has. With --ate the engine itself has to
see it, too: `ate chain verify --path` ends with 8.

No byte of the format is without meaning: what is not named is zero, and that is
checked. Prints the seed; exit code 0 when every flip was found, else 8.
"""
import argparse
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from check import Chain  # noqa: E402 (after the line above)
from folder import Folder, padded  # noqa: E402
from formats import H, Differs, crc32c  # noqa: E402


# A node's notes for itself, which nobody else looks at.
PRIVATE = {'snapshot', 'verified'}


def refusal(folder, root=None):
    """What check.py says of a folder, or None; with the root that a checkpoint
    of all its transactions would have."""
    try:
        chain = Chain(Folder(folder))
        chain.check()
    except Differs as error:
        return str(error)
    if root is not None and chain.tree.root() != root:
        return 'not the log of the checkpoint'
    return None


def engine_refusal(program, folder):
    """What `ate chain verify --path` says of a folder, or None; it has to end
    in order, whatever it was given."""
    done = subprocess.run([program, 'chain', 'verify', '--path', folder],
                          capture_output=True, check=False)
    if done.returncode == 0:
        return None
    said = done.stderr.decode('utf-8', 'replace').strip()
    if done.returncode != 8:
        sys.stderr.write('flips: ate ended with %d: %s\n' % (done.returncode,
                                                            said))
        return None
    return said


def put(data, at, form, *values):
    struct.pack_into(form, data, at, *values)


def mend_frames(head, offsets):
    """New checksums and chain hashes; {old chain hash: new one}."""
    renewed = {}
    before = bytes(16)
    for at in offsets:
        size, inline = struct.unpack_from('<II', head, at + 28)
        payload = bytes(head[at + 96:at + 96 + size])
        body_at = at + 96 + padded(size)
        old_before = bytes(head[at + 56:at + 72])
        head[at + 56:at + 72] = before
        put(head, at + 80, '<I', crc32c(payload))
        put(head, at + 84, '<I', crc32c(head[body_at:body_at + inline]))
        put(head, at + 92, '<I', crc32c(head[at:at + 92]))
        kind, _, sequence, index, count = struct.unpack_from('<HHQQI', head,
                                                             at + 4)
        renewed[old_before] = before
        before = H('frame', before, kind, sequence, index, count, payload)[:16]
    renewed['last'] = before
    return renewed


def mend(good, path, head, offsets):
    """Make every checksum and chain hash of the copy at `path` good."""
    renewed = mend_frames(head, offsets)
    hashes = dict(zip(good['hashes'],
                      [renewed[h] for h in good['hashes'][:-1]]
                      + [renewed['last']]))
    for at in (0, 0x1000):
        if any(head[at:at + 128]):
            old = bytes(head[at + 96:at + 112])
            head[at + 96:at + 112] = hashes[old]
            put(head, at + 124, '<I', crc32c(head[at:at + 124]))
    with open(os.path.join(path, 'cur'), 'r+b') as file:
        cur = bytearray(file.read())
        cur[32:48] = hashes[bytes(cur[32:48])]
        put(cur, 60, '<I', crc32c(cur[:60]))
        file.seek(0)
        file.write(cur)


def survey(folder):
    """Places of the good chain: its files, frames and chain hashes."""
    chain = Folder(folder)
    frames = list(chain.frames())
    checked = Chain(Folder(folder))
    checked.check()
    spans = []
    for frame in frames:
        at = frame.offset + 96
        spans.append((at, len(frame.payload)))
        spans.append((at + padded(len(frame.payload)), len(frame.inline)))
    return {
        'files': [(name, os.path.getsize(os.path.join(folder, name)))
                  for name in sorted(os.listdir(folder))
                  if name not in PRIVATE],
        'head': chain.head_name,
        'root': checked.tree.root(),
        'offsets': [frame.offset for frame in frames],
        'hashes': [frame.chain_hash() for frame in frames],
        'spans': [span for span in spans if span[1]],
    }


def pick(rng, spans):
    """A place in one of the spans, each byte as likely as any."""
    at = rng.randrange(sum(size for _, size in spans))
    for start, size in spans:
        if at < size:
            return start, at
        at -= size
    raise AssertionError('past the last span')


def try_flip(good, folder, rng, mended, program):
    """One flip in a fresh copy; its place, and what check.py and ate say."""
    with tempfile.TemporaryDirectory(prefix='flips-') as scratch:
        copy = os.path.join(scratch, os.path.basename(os.path.realpath(folder)))
        shutil.copytree(folder, copy)
        if mended:
            start, at = pick(rng, good['spans'])
            name, at = good['head'], start + at
        else:
            name, at = pick(rng, good['files'])
        bit = rng.randrange(8)
        path = os.path.join(copy, name)
        with open(path, 'rb') as file:
            data = bytearray(file.read())
        data[at] ^= 1 << bit
        if mended:
            mend(good, copy, data, good['offsets'])
        with open(path, 'wb') as file:
            file.write(data)
        said = [refusal(copy, good['root'] if mended else None)]
        if program:
            said.append(engine_refusal(program, copy))
        return '%s, offset %d, bit %d' % (name, at, bit), said


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('folder', metavar='FOLDER')
    parser.add_argument('--count', type=int, default=200)
    parser.add_argument('--seed', type=int,
                        default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument('--ate', metavar='PROGRAM')
    parser.add_argument('--verbose', action='store_true')
    options = parser.parse_args()
    print('seed %d' % options.seed)
    rng = random.Random(options.seed)
    said = refusal(options.folder)
    if said is not None:
        sys.stderr.write('flips: the chain is not good: %s\n' % said)
        return 8
    good = survey(options.folder)
    missed = 0
    for n in range(2 * options.count):
        place, said = try_flip(good, options.folder, rng, n >= options.count,
                               options.ate)
        if options.verbose:
            print('%s: %s' % (place, ' / '.join(map(str, said))))
        if None in said:
            missed += 1
            sys.stderr.write('flips: not seen by %s: %s%s\n' % (
                ('check.py', 'ate')[said.index(None)], place,
                ', mended' if n >= options.count else ''))
    print('%d flips, %d not seen' % (2 * options.count, missed))
    return 8 if missed else 0


if __name__ == '__main__':
    sys.exit(main())
