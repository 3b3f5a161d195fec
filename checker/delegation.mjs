/** delegation: rights that one key gives another, and what rests on them
 * (docs/format.md, section 3). A place is {object, parent}, ids or null; the
 * whole chain is {object: null, parent: null}. */
import {hex, isSorted, need, unhex, utf8} from './bytes.mjs';
import {each, keep} from './msgpack.mjs';
import {keyId, ownFields} from './event.mjs';
import {DELEGATION} from './state.mjs';

const DEPTH_MAX = 16;
const RIGHTS_MAX = 32;
const NO_END = (1n << 63n) - 1n;
export const EVERYWHERE = {object: null, parent: null};

/** What an ate.delegation says, by itself. */
function readDelegation(tx, n, event) {
    const f = ownFields(event, {to: '32', rights: 'list', depth: 'int'},
        {object: '16', until: 'int', act_for: '32', key: 'list'});
    const names = each(f.rights, 'str', 'ate.delegation: rights').map(utf8);
    need(names.length >= 1 && names.length <= RIGHTS_MAX && isSorted(names) &&
        names.every((name) => name.length >= 1 && name.length <= 64),
    'ate.delegation: rights');
    const acts = f.rights.includes('act_for');
    need(acts === (f.act_for !== undefined) && (!acts || names.length === 1),
        'ate.delegation: act_for stands alone and names whom');
    need(f.until === undefined || f.until < NO_END,
        'ate.delegation: an end that is none');
    need(f.depth >= 0 && f.depth <= DEPTH_MAX,
        `ate.delegation: depth ${f.depth}`);
    need(f.key === undefined || keyId(f.key) === hex(f.to),
        'ate.delegation: the key of somebody else');
    return {
        id: event.rawId, to: hex(f.to), rights: f.rights, depth: f.depth,
        object: f.object === undefined ? null : hex(f.object),
        until: f.until ?? NO_END,
        actFor: f.act_for === undefined ? null : hex(f.act_for),
        key: f.key === undefined ? null : keep(f.key),
        by: event.author, authRef: event.authRef, index: tx.index, n,
        revoked: null,
    };
}

function entryOf(given) {
    const id = (name) => name && unhex(name);
    return [id(given.to), id(given.object), given.rights, given.depth,
        given.until === NO_END ? null : given.until, id(given.actFor),
        id(given.by), id(given.authRef), given.index, given.n, given.revoked];
}

export class Delegations {
    constructor(trust, objects) {
        this.trust = trust;
        this.objects = objects;
        this.all = new Map();    // event id -> delegation
        this.byHolder = new Map(); // key id -> delegations to it
    }

    /** Those that a key holds and that are in force. */
    heldBy(tx, id) {
        return (this.byHolder.get(id) ?? []).filter((given) =>
            this.isInForce(tx, given));
    }

    isInForce(tx, given) {
        for (let depth = 0; depth <= DEPTH_MAX; depth++) {
            if (given.index >= tx.index || given.revoked !== null ||
                    tx.time >= given.until)
                return false;
            if (given.authRef === null)
                return true;
            given = this.all.get(given.authRef);
        }
        return false;
    }

    covers(given, place) {
        return given.object === null || given.object === place.object ||
            place.object !== null && this.objects.standsAbove(given.object,
                place.parent);
    }

    /** Does the transaction speak for somebody, at a place? */
    speaksFor(tx, identity, place) {
        return tx.authors.has(identity) || this.heldBy(tx, tx.author)
            .some((given) => given.actFor === identity &&
                this.covers(given, place));
    }

    /** The delegation that is named; it has to give the right there. */
    held(tx, authRef, right, place, what) {
        const given = this.all.get(authRef);
        need(given !== undefined, `${what}: its delegation is not there`);
        need(this.isInForce(tx, given),
            `${what}: its delegation is not in force`);
        need(this.speaksFor(tx, given.to, place),
            `${what}: its delegation is another's`);
        need(given.rights.includes(right),
            `${what}: its delegation has no right ${right}`);
        need(this.covers(given, place),
            `${what}: its delegation is about another object`);
        return given;
    }

    placeOf(object) {
        return object === null ? EVERYWHERE
            : {object, parent: this.objects.parentOf(object)};
    }

    /** What an event is about: of a delegation, and of what takes it back, its
     * object; of others of the engine, the whole chain. */
    placeOfEvent(event) {
        if (!event.isOwn)
            return {object: event.object, parent: event.parent};
        const id = (name) => { // its shape is looked at later
            const value = event.fields.get(name);
            return value instanceof Uint8Array ? hex(value) : null;
        };
        if (event.type === 'ate.delegation')
            return this.placeOf(id('object'));
        if (event.type === 'ate.revocation')
            return this.placeOf(this.all.get(id('delegation'))?.object ?? null);
        return EVERYWHERE;
    }

    judge(tx, n, event) {
        const given = readDelegation(tx, n, event);
        need(!this.all.has(event.id), 'ate.delegation: it is there already');
        need(tx.time < given.until, 'ate.delegation: its time has passed');
        need(given.object === null || this.objects.isLive(given.object),
            'ate.delegation: its object is not there');
        if (given.authRef !== null)
            this.checkLess(tx, given);
        else if (given.actFor === null)
            need(this.trust.isRoot(tx), 'ate.delegation: not by the root keys');
        else
            this.checkActFor(tx, given);
        if (given.key !== null)
            this.trust.learn(given.key);
        this.all.set(event.id, given);
        if (!this.byHolder.has(given.to))
            this.byHolder.set(given.to, []);
        this.byHolder.get(given.to).push(given);
        this.trust.state.put(DELEGATION, given.id, entryOf(given));
    }

    /** It gives no more than the one that it rests on. */
    checkLess(tx, given) {
        const upper = this.held(tx, given.authRef,
            given.actFor === null ? 'delegate' : 'act_for',
            this.placeOf(given.object), 'ate.delegation');
        need(given.actFor === upper.actFor, 'ate.delegation: to act for ' +
            'somebody else than the one it rests on');
        need(given.rights.every((right) => upper.rights.includes(right)) &&
            given.depth < upper.depth && given.until <= upper.until,
        'ate.delegation: more than the one it rests on');
    }

    /** Somebody lets another act for him, and the pipeline takes that. */
    checkActFor(tx, given) {
        const {stages} = this.trust;
        need(given.actFor === tx.author,
            'ate.delegation: to act for somebody else');
        need(stages.has('accept-all') ||
            (stages.has('trust-delegation') ||
                stages.has('master-key-validator')) && this.trust.isRoot(tx) ||
            stages.has('trust-delegation') &&
                this.heldBy(tx, tx.author).length > 0,
        'ate.delegation: the pipeline takes nothing from its author');
    }

    judgeRevocation(tx, event) {
        const id = hex(ownFields(event, {delegation: '32'}).delegation);
        const given = this.all.get(id);
        need(given !== undefined, 'ate.revocation: of none');
        need(given.revoked === null, 'ate.revocation: it was revoked');
        need(this.mayRevoke(tx, given), 'ate.revocation: by somebody else');
        given.revoked = tx.index;
        this.trust.state.put(DELEGATION, given.id, entryOf(given));
    }

    /** Who made or holds it, or one that it rests on; or the root keys. */
    mayRevoke(tx, given) {
        for (; given !== undefined; given = this.all.get(given.authRef)) {
            const place = this.placeOf(given.object);
            if (this.speaksFor(tx, given.by, place) ||
                    this.speaksFor(tx, given.to, place))
                return true;
        }
        return this.trust.isRoot(tx);
    }

    /** Has the transaction the right `order` on the whole chain? */
    mayOrder(tx) {
        return [...tx.authors, tx.caller].some((id) =>
            this.speaksFor(tx, id, EVERYWHERE) &&
            this.heldBy(tx, id).some((given) =>
                given.rights.includes('order') &&
                this.covers(given, EVERYWHERE)));
    }
}
