/** objects: the versions of each, its id, and what stands above it
 * (docs/format.md, section 3).
 *
 * Which fields are a type's key is said in Lua. That some give the id of the
 * first object of the type shows which; all others have to agree. */
import {Differs, equal, hex, need, unhex} from './bytes.mjs';
import {H} from './hash.mjs';
import {encode} from './msgpack.mjs';
import {sha256} from './sha256.mjs';
import {OBJECT} from './state.mjs';

export const PARENTS_MAX = 256;
const KEY_TRIES = 1 << 18; // orders of fields that are tried for keys, in all
const ZERO_ID = new Uint8Array(16);

/** Every order of `count` of the names. */
function* orders(names, count) {
    if (count === 0) {
        yield [];
        return;
    }
    for (const name of names)
        for (const rest of orders(names.filter((other) => other !== name),
            count - 1))
            yield [name, ...rest];
}

/** The id of a fact without key. */
export function factId(chainId, tx, n) {
    return H('fact', chainId, tx.rawAuthor, tx.call.rawId, n)
        .subarray(0, 16);
}

export class Objects {
    /** `note` is told of types whose key takes too long to find. */
    constructor(chainId, state, note) {
        this.chainId = chainId;
        this.note = note;
        this.tries = KEY_TRIES; // that are left
        this.state = state;
        this.newest = new Map(); // id -> its newest event, be it the deletion
        this.keys = new Map(); // type -> names of its key's fields; null: fact
        this.isConverted = false; // a bundle may have changed stored fields
    }

    isLive(id) {
        return this.newest.get(id)?.deletes === false;
    }

    parentOf(id) {
        return this.newest.get(id)?.parent ?? null;
    }

    /** Is `wanted` the object `from`, or above that? */
    standsAbove(wanted, from) {
        for (let i = 0; i < PARENTS_MAX && from !== null; i++) {
            if (from === wanted)
                return true;
            from = this.parentOf(from);
        }
        return false;
    }

    /** Its right, by what it does: create, write, delete. */
    rightOf(event) {
        return !this.newest.has(event.object) ? 'create'
            : event.deletes ? 'delete' : 'write';
    }

    /** An event of the schema: its id, and what it says of the one before. */
    check(tx, n, event) {
        const before = this.newest.get(event.object);
        if (before !== undefined) {
            this.checkNext(event, before);
        } else {
            need(event.previous === null && !event.deletes,
                `${event.type}: a version of what is not there`);
            this.checkDepth(event);
            if (!this.keys.has(event.type))
                this.keys.set(event.type, this.findKey(tx, n, event));
        }
        this.checkId(tx, n, event);
    }

    checkNext(event, before) {
        const {type} = event;
        need(!before.deletes, `${type}: its object was deleted`);
        need(event.previous === before.id && type === before.type &&
            event.parent === before.parent,
        `${type}: not a version of the newest one`);
        need(!event.deletes || event.length === 0 && (this.isConverted ||
            hex(sha256(encode(event.fields))) === before.fieldsHash),
        `${type}: deleted with other fields than its last`);
    }

    checkDepth(event) {
        let above = event.parent;
        for (let i = 0; i < PARENTS_MAX && above !== null; i++)
            above = this.parentOf(above);
        need(above === null, `${event.type}: too many objects above it`);
    }

    /** Key and parent never change, and no fact has a second version. */
    checkId(tx, n, event) {
        const key = this.keys.get(event.type);
        need(key === undefined || equal(this.idBy(key, tx, n, event),
            event.objectId), `${event.type}: the object id differs`);
    }

    idBy(key, tx, n, event) {
        if (key === null)
            return factId(this.chainId, tx, n);
        const values = key.map((name) => event.fields.get(name) ?? null);
        return H('object', this.chainId, event.type, event.parent === null
            ? ZERO_ID : unhex(event.parent), encode(values)).subarray(0, 16);
    }

    /** The key of a type; undefined when there are too many fields to tell. */
    findKey(tx, n, event) {
        if (equal(factId(this.chainId, tx, n), event.objectId))
            return null;
        const names = [...event.fields.keys()];
        for (let count = 1; count <= names.length; count++)
            for (const key of orders(names, count)) {
                if (this.tries-- <= 0) {
                    this.note(`${event.type}: which fields are its key was ` +
                        'not found out, so ids of its objects are not checked');
                    return undefined;
                }
                if (equal(this.idBy(key, tx, n, event), event.objectId))
                    return key;
            }
        throw new Differs(`${event.type}: no fields give its object id`);
    }

    /** It passed: it is the newest one. */
    apply(tx, n, event) {
        const {id, type, parent, deletes} = event;
        this.newest.set(event.object, {id, type, parent, deletes,
            fieldsHash: hex(sha256(encode(event.fields)))});
        this.state.put(OBJECT, event.objectId.slice(), deletes
            ? this.spent(tx, n, event)
            : [event.rawId, tx.index, n, event.raw]);
    }

    /** What is kept of an object that is deleted. */
    spent(tx, n, event) {
        const key = (this.keys.get(event.type) ?? []).map((name) =>
            event.fields.get(name) ?? null);
        const value = [event.rawId, tx.index, n, event.type,
            event.parent && unhex(event.parent), key];
        const scale = event.fields.get('scale');
        if (typeof scale === 'number' && scale >= 0 && scale <= 18)
            value.push(scale);
        return value;
    }
}
