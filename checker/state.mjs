/** state: as far as no Lua is needed (docs/format.md, section 6): the chain,
 * objects, delegations, authors, calls. Of each entry its slot and its leaf are
 * kept, no more; the root is that of the whole state when the schema has no
 * views and no workers. */
import {hex, unhex} from './bytes.mjs';
import {H} from './hash.mjs';
import {encode} from './msgpack.mjs';

export const CHAIN = 1;
export const OBJECT = 2;
export const DELEGATION = 4;
export const AUTHOR = 6;
export const CALL = 8;

export class State {
    constructor() {
        this.leaves = new Map(); // slot -> leaf, both in hex; null: forgotten
        this.changed = new Map(); // of kinds 2 to 5, by the transaction at hand
        this.callTimes = new Map(); // call id -> log time, oldest first
    }

    /** Nobody will ask for the root. */
    forget() {
        this.leaves = null;
    }

    put(kind, key, value) {
        const bytes = encode(value);
        if (kind >= OBJECT && kind <= 5)
            this.changed.set(kind + hex(key), {kind, key, bytes});
        if (this.leaves === null)
            return;
        const slot = H('slot', Uint8Array.of(kind), key);
        this.leaves.set(hex(slot), hex(H('leaf', slot, bytes)));
    }

    drop(kind, key) {
        if (this.leaves !== null)
            this.leaves.delete(hex(H('slot', Uint8Array.of(kind), key)));
    }

    /** A call; those that are too old go. Log time never goes back, so the
     * oldest stand in front. */
    putCall(index, call, time, keepMs) {
        const oldest = BigInt(time) - BigInt(keepMs);
        for (const [old, at] of this.callTimes) {
            if (BigInt(at) >= oldest)
                break;
            this.callTimes.delete(old);
            this.drop(CALL, unhex(old));
        }
        this.callTimes.set(call.id, time);
        this.put(CALL, call.rawId, [index, call.args, call.result]);
    }

    /** The digest over the events' ids and the entries that changed. */
    verdict(events) {
        const entries = [...this.changed].sort((a, b) => a[0] < b[0] ? -1 : 1);
        return H('verdict', ...events.map((event) => event.rawId),
            ...entries.flatMap(([, {kind, key, bytes}]) =>
                [Uint8Array.of(kind), key, bytes]));
    }

    root() {
        if (this.leaves.size === 0)
            return new Uint8Array(32);
        const slots = [...this.leaves.keys()].sort();
        return node(slots.map(unhex), slots.map((slot) =>
            unhex(this.leaves.get(slot))), 0, slots.length);
    }
}

function bitOf(slot, bit) {
    return slot[bit >> 3] >> 7 - (bit & 7) & 1;
}

/** Over the entries from `from` up to `to`, sorted by slot: split where the
 * first and the last slot differ first. */
function node(slots, leaves, from, to) {
    if (to - from === 1)
        return leaves[from];
    let bit = 0;
    while (bitOf(slots[from], bit) === bitOf(slots[to - 1], bit))
        bit++;
    let middle = from;
    while (bitOf(slots[middle], bit) === 0)
        middle++;
    return H('node', bit, node(slots, leaves, from, middle),
        node(slots, leaves, middle, to));
}
