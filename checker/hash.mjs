/** hash: H and the trees of docs/format.md, section 1. */
import {u64, utf8} from './bytes.mjs';
import {Sha256, sha256, sha256InPlace} from './sha256.mjs';

/** Suites and kinds are hashed as one byte. */
export const SUITE = Uint8Array.of(1);
export const NOTHING = new Uint8Array(0);

const labels = new Map();

/** The label behind its length; there are a dozen of them. */
function labelBytes(label) {
    if (!labels.has(label))
        labels.set(label, Uint8Array.of(label.length, ...utf8(label)));
    return labels.get(label);
}

function partBytes(value) {
    if (value instanceof Uint8Array)
        return value;
    if (value === null)
        return NOTHING;
    return typeof value === 'string' ? utf8(value) : u64(value);
}

const SHORT = 4096;
const buffer = new Uint8Array(SHORT + 72);

function putSize(out, at, size) {
    out[at] = size >>> 24;
    out[at + 1] = size >>> 16;
    out[at + 2] = size >>> 8;
    out[at + 3] = size;
}

/** What does not fit the buffer. */
function longH(label, parts) {
    const hash = new Sha256().update(label);
    const size = new Uint8Array(4);
    for (const bytes of parts) {
        putSize(size, 0, bytes.length);
        hash.update(size).update(bytes);
    }
    return hash.digest();
}

/** H(label, ...): parts are bytes, texts, integers (u64) or null. */
export function H(label, ...values) {
    const start = labelBytes(label);
    const parts = values.map(partBytes);
    let total = start.length;
    for (const bytes of parts)
        total += 4 + bytes.length;
    if (total > SHORT)
        return longH(start, parts);
    buffer.set(start);
    let at = start.length;
    for (const bytes of parts) {
        putSize(buffer, at, bytes.length);
        buffer.set(bytes, at + 4);
        at += 4 + bytes.length;
    }
    return sha256InPlace(buffer, at);
}

/** The hash of one byte and what follows. */
function prefixed(prefix, first, second) {
    const size = 1 + first.length + second.length;
    if (size > SHORT)
        return new Sha256().update(Uint8Array.of(prefix)).update(first)
            .update(second).digest();
    buffer[0] = prefix;
    buffer.set(first, 1);
    buffer.set(second, 1 + first.length);
    return sha256InPlace(buffer, size);
}

export function leafHash(leaf) {
    return prefixed(0, leaf, NOTHING);
}

export function nodeHash(left, right) {
    return prefixed(1, left, right);
}

/** The tree of RFC 9162, as a stack of complete subtrees. */
export class Tree {
    constructor(leaves = []) {
        this.size = 0;
        this.stack = []; // [number of leaves, hash]
        for (const leaf of leaves)
            this.append(leaf);
    }

    append(leaf) {
        this.appendHash(leafHash(leaf));
    }

    appendHash(node) {
        let count = 1;
        while (this.stack.length > 0 && this.stack.at(-1)[0] === count) {
            node = nodeHash(this.stack.pop()[1], node);
            count *= 2;
        }
        this.stack.push([count, node]);
        this.size++;
    }

    root() {
        if (this.stack.length === 0)
            return sha256(NOTHING);
        let node = this.stack.at(-1)[1];
        for (let i = this.stack.length - 2; i >= 0; i--)
            node = nodeHash(this.stack[i][1], node);
        return node;
    }
}

/** The root that an inclusion proof leads to (RFC 9162, 2.1.3.2), or null when
 * it has too many or too few hashes. */
export function rootOfProof(leaf, index, size, hashes) {
    let at = BigInt(index);
    let last = BigInt(size) - 1n;
    let root = leaf;
    if (at > last)
        return null;
    for (const hash of hashes) {
        if (last === 0n)
            return null;
        if (at & 1n || at === last) {
            root = nodeHash(hash, root);
            while (!(at & 1n) && at !== 0n) {
                at >>= 1n;
                last >>= 1n;
            }
        } else {
            root = nodeHash(root, hash);
        }
        at >>= 1n;
        last >>= 1n;
    }
    return last === 0n ? root : null;
}
