/** trust: who may do what: keys, root keys, terms of the order key,
 * delegations, and for whom a transaction speaks (docs/format.md, section 3).
 *
 * A transaction here is {index, time, author, caller, authors, roots, call,
 * further}: `authors` are the ids of all who speak by it, `roots` those of all
 * whose signature counts as one of root keys. */
import {compare, need, unhex, utf8} from './bytes.mjs';
import {Delegations} from './delegation.mjs';
import {checkRoots, keyId, ownFields} from './event.mjs';
import {H} from './hash.mjs';
import {encode, keep} from './msgpack.mjs';
import {AUTHOR, CHAIN} from './state.mjs';

const STAGES = ['accept-all', 'master-key-validator', 'trust-delegation',
    'serializer', 'structured-logic'];

export class Trust {
    /** `objects` knows what stands above an object. */
    constructor(genesis, state, objects) {
        this.state = state;
        this.keys = new Map(); // key id -> key record
        this.stages = new Set(genesis.pipeline);
        need(genesis.pipeline.every((stage) => STAGES.includes(stage)) &&
            this.stages.has('serializer'), 'genesis: a stage is unknown');
        this.setRoots(genesis.roots, genesis.k, genesis.next, 'genesis');
        this.setOrder(1, genesis.order, 0);
        for (const record of [...genesis.roots, genesis.order])
            this.learn(record);
        this.given = new Delegations(this, objects);
    }

    setRoots(roots, k, next, what) {
        this.rootIds = checkRoots(roots, k, what);
        this.k = k;
        this.next = next;
        this.state.put(CHAIN, utf8('roots'), [roots, k, next]);
    }

    setOrder(term, record, index) {
        this.term = term;
        this.orderId = keyId(record);
        this.terms ??= []; // {index, record}, in order
        this.terms.push({index, record});
        this.state.put(CHAIN, utf8('order'), [term, record]);
    }

    /** A key that the log may not know yet becomes known. */
    learn(record) {
        const id = keyId(record);
        if (this.keys.has(id))
            return;
        this.keys.set(id, keep(record));
        this.state.put(AUTHOR, unhex(id), [0, record]);
    }

    /** Have k root keys signed? */
    isRoot(tx) {
        return this.rootIds.filter((id) => tx.roots.has(id)).length >= this.k;
    }

    /** The root keys, or the right `order` on the whole chain. */
    mayOrder(tx) {
        return this.isRoot(tx) || this.given.mayOrder(tx);
    }

    checkCaller(tx) {
        need(this.given.speaksFor(tx, tx.caller, null),
            'a caller that it does not speak for');
    }

    /** An event of the schema: its auth_ref, and a yes of the pipeline. */
    checkEvent(tx, event, right) {
        const {stages} = this;
        const rests = event.authRef !== null;
        if (rests)
            this.given.held(tx, event.authRef, right,
                {object: event.object, parent: event.parent}, event.type);
        need(stages.has('accept-all') ||
            stages.has('trust-delegation') && rests ||
            (stages.has('trust-delegation') ||
                stages.has('master-key-validator')) && this.isRoot(tx),
        `${event.type}: nobody lets its author`);
    }

    /* ---- events of the engine; each is judged and applied ---- */

    judge(tx, n, event, before) {
        switch (event.type) {
        case 'ate.key':
            need(before.every((type) => type === 'ate.key'),
                'ate.key: out of place');
            return this.judgeKey(tx, event);
        case 'ate.delegation':
            return this.given.judge(tx, n, event);
        case 'ate.revocation':
            return this.given.judgeRevocation(tx, event);
        case 'ate.roots':
            return this.judgeRoots(tx, event);
        case 'ate.order':
            return this.judgeOrder(tx, event);
        default:
            return need(false, `${event.type}: this type is unknown`);
        }
    }

    judgeKey(tx, event) {
        const f = ownFields(event, {suite: 'int', sign: '32', box: '32'});
        const record = [f.suite, f.sign, f.box];
        const id = keyId(record);
        need(id === tx.author || tx.further.some((sig) => sig.key === id),
            'ate.key: of somebody who does not sign');
        need(!this.keys.has(id), 'ate.key: this key is known');
        this.learn(record);
    }

    judgeRoots(tx, event) {
        const f = ownFields(event, {keys: 'list', threshold: 'int'},
            {next: '32'});
        const ids = checkRoots(f.keys, f.threshold, 'ate.roots');
        need(this.isRoot(tx), 'ate.roots: not by the root keys');
        need(ids.filter((id) => tx.roots.has(id)).length >= f.threshold,
            'ate.roots: the new keys do not agree');
        need(this.next === null || compare(this.next,
            H('roots', encode(f.keys), f.threshold)) === 0,
        'ate.roots: another set than was promised');
        f.keys.forEach((record) => this.learn(record));
        this.setRoots(f.keys, f.threshold, f.next?.slice() ?? null,
            'ate.roots');
    }

    judgeOrder(tx, event) {
        const f = ownFields(event, {key: 'list', term: 'int'});
        need(f.term === this.term + 1, `ate.order: term ${f.term} after ` +
            this.term);
        need(this.mayOrder(tx),
            'ate.order: by nobody who may');
        this.learn(f.key);
        this.setOrder(f.term, keep(f.key), tx.index);
    }

    /** The sign keys that may sign a checkpoint of so many transactions: of the
     * term that the last one stands in, and of the one that it ends. */
    checkpointKeys(size) {
        const last = size - 1;
        const before = this.terms.filter((term) => term.index < last).slice(-1);
        const within = this.terms.filter((term) => term.index === last);
        return [...before, ...within.slice(-1)].map((term) => term.record[1]);
    }
}

