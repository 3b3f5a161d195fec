/** hash: H and the trees of docs/format.md, section 1. */
import {u64, utf8} from './bytes.mjs';
import {Sha256, sha256} from './sha256.mjs';

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

/** H(label, ...): parts are bytes, texts, integers (u64) or null. */
export function H(label, ...parts) {
    const hash = new Sha256().update(labelBytes(label));
    const size = new Uint8Array(4);
    for (const value of parts) {
        const bytes = partBytes(value);
        size[0] = bytes.length >>> 24;
        size[1] = bytes.length >>> 16;
        size[2] = bytes.length >>> 8;
        size[3] = bytes.length;
        hash.update(size).update(bytes);
    }
    return hash.digest();
}

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export function leafHash(leaf) {
    return new Sha256().update(LEAF).update(leaf).digest();
}

export function nodeHash(left, right) {
    return new Sha256().update(NODE).update(left).update(right).digest();
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
