#!/usr/bin/python3
"""Check a proof file from docs/format.md, section 10, without the chain.

    proof.py FILE [--vkey VKEY]

Prints `transaction N of CHAIN: as recorded` and the leaf in hex; exit code 8
where something differs.
"""
import argparse
import struct
import sys

sys.dont_write_bytecode = True
import tlog  # noqa: E402 (after the line above)
from check import Event, check_further, key_id, sigs_hash  # noqa: E402
from formats import (  # noqa: E402
    H, Differs, Tree, array, decode, need, sha256, signed, typed, u8)
import base64  # noqa: E402

SUITE = u8(1)


def vkey_of(chain_id, key):
    """The order key as a vkey of the chain's notes."""
    name = 'ate/' + chain_id.hex()
    data = b'\1' + key
    return '%s+%s+%s' % (name, sha256(name.encode() + b'\n' + data)[:4].hex(),
                         base64.b64encode(data).decode())


class Proof:
    """What a file says, checked as far as the leaf."""

    def __init__(self, extra, index):
        (genesis, root_sigs, batch, self.count, self.place, self.path,
         records) = array(decode(extra, 'extra'),
                          (bytes, list, (bytes, None), int, int, list, list),
                          'extra')
        self.index = index
        self.id = H('genesis', genesis)
        self.genesis = decode(genesis, 'genesis')
        need(len(self.genesis) == 15, 'genesis: %d parts', len(self.genesis))
        self.name, self.order = self.genesis[4], self.genesis[9]
        self.check_roots(root_sigs)
        self.keys = {key_id(record): record for record in records}
        need(list(self.keys) == sorted(self.keys) and
             len(self.keys) == len(records), 'keys: not sorted')
        self.signers = set()
        if batch is None:
            need((index, self.count, self.place, self.path, records) ==
                 (0, 0, 0, [], []), 'genesis: parts of a transaction')
            self.leaf = self.make_leaf(self.id, sigs_hash(None, root_sigs),
                                       H('verdict'))
            return
        need(index > 0, 'a transaction in place of genesis')
        self.check_batch(batch)
        need(set(self.keys) <= self.signers, 'a key that signed nothing')

    def make_leaf(self, tx_id, sigs, verdict):
        return (bytes([SUITE]) + struct.pack('>Q', self.index) + tx_id + sigs +
                verdict)

    def check_roots(self, sigs):
        roots = {key_id(record): record[1] for record in self.genesis[6]}
        good = set()
        for key, purpose, signature in check_further(sigs, 'root signatures'):
            need(purpose == 'root' and key in roots, 'a signature of no root')
            need(signed(roots[key], H('sign', SUITE, self.id, 'root', self.id),
                        signature), 'a root signature is wrong')
            good.add(key)
        need(len(good) >= self.genesis[7], '%d root keys signed', len(good))

    def known(self, key):
        """The sign key of a key id, from the list or from genesis."""
        for record in self.genesis[6] + [self.order]:
            if key_id(record) == key:
                return record[1]
        return self.keys[key][1] if key in self.keys else None

    def check_batch(self, payload):
        author, signature, members = array(decode(payload, 'batch'),
                                           (32, 64, list), 'batch')
        need(len(members) == 1, '%d members', len(members))
        header, further, raw_events, reads, result, verdict = array(
            members[0], (bytes, list, list, (bytes, None), (bytes, None), 32),
            'member')
        need(reads is None and result is None, 'a read set or a result')
        tx = typed(decode(header, 'tx header'), (list,), 'tx header')
        events = [Event(self.id, raw) for raw in raw_events]
        need(tx[0] == author and tx[2] == len(events) and
             all(event.author == author for event in events),
             'author or count differ')
        need(tx[3] == Tree([event.id for event in events]).root(),
             'the event root differs')
        self.tx_id = H('tx', SUITE, self.id, header)
        self.check_author(author, signature)
        self.check_others(check_further(further, 'further signatures'))
        self.leaf = self.make_leaf(self.tx_id, sigs_hash(signature, further),
                                   verdict)

    def check_author(self, author, signature):
        root = fold(tlog.leaf_hash(self.tx_id), self.place, self.count,
                    self.path)
        self.signers.add(author)
        key = self.known(author)
        need(key is None or signed(
            key, H('batch', SUITE, self.id, self.count, root), signature),
             'the author\'s signature is wrong')

    def check_others(self, further):
        for key, purpose, signature in further:
            self.signers.add(key)
            sign_key = self.known(key)
            need(sign_key is None or signed(
                sign_key, H('sign', SUITE, self.id, purpose, self.tx_id),
                signature), 'a further signature is wrong')


def fold(leaf, index, size, hashes):
    """The root that an inclusion proof leads to."""
    need(0 <= index < size <= 4096, 'no member %d of %d', index, size)
    last, root = size - 1, leaf
    for value in hashes:
        need(last, 'batch: too many hashes')
        if index & 1 or index == last:
            root = tlog.node_hash(value, root)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            root = tlog.node_hash(root, value)
        index, last = index >> 1, last >> 1
    need(last == 0, 'batch: too few hashes')
    return root


def check(data, vkey):
    extra, index, hashes, note = tlog.parse_proof(data)
    need(extra is not None, 'no extra data')
    proof = Proof(extra, index)
    verifier = tlog.Verifier(vkey or vkey_of(proof.id, proof.order[1]))
    need(verifier.name == 'ate/' + proof.id.hex(), 'a key of another chain')
    checkpoint = tlog.Checkpoint(note, verifier)
    tlog.check_inclusion(tlog.leaf_hash(proof.leaf), index, checkpoint.size,
                         hashes, checkpoint.root)
    return proof


def main():
    parser = argparse.ArgumentParser(
        description='Check a proof file from docs/format.md alone.')
    parser.add_argument('file', metavar='FILE')
    parser.add_argument('--vkey', help='the order key, where genesis has '
                        'another one')
    options = parser.parse_args()
    try:
        proof = check(tlog.read(options.file), options.vkey)
    except (Differs, tlog.Wrong, ValueError, KeyError, TypeError,
            IndexError) as error:
        sys.stderr.write('proof: %s: %s\n' % (options.file, error))
        return 8
    print('transaction %d of %s: as recorded' % (proof.index, proof.name))
    print(proof.leaf.hex())
    return 0


if __name__ == '__main__':
    sys.exit(main())
