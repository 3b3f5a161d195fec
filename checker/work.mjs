/** work: what workers did (docs/format.md, sections 3 and 6): an event is
 * worked once, by the order key; what is asked outside is journaled before it
 * is answered.
 *
 * Which workers there are, and which rows wait, stands in Lua. So a place may
 * be of an event that nobody waits for, and a row's item is believed to wait
 * when its time has come; what was asked for it may count anew at any time, for
 * the row may have become another. */
import {hex, need, u64, utf8} from './bytes.mjs';
import {ownFields} from './event.mjs';

const EVENT = 1;
const DUE = 2;
const PARKED = 3;
const PLACE_SIZE = 17;
const SIZES = {[EVENT]: PLACE_SIZE, [DUE]: 41, [PARKED]: PLACE_SIZE};

const ASKS_MAX = 64;
const WHY_MAX = 1024;
const WORKER_MAX = 128;
const SERVICE_MAX = 64;
const OUTCOMES = new Map(Object.entries({
    done: [EVENT, DUE], parked: [EVENT, DUE], retried: [PARKED],
    dropped: [PARKED],
}));

export function isWork(type) {
    return ['ate.work', 'ate.ask', 'ate.answer'].includes(type);
}

function sizeOf(text) {
    return utf8(text).length;
}

/** What an item is: its class, itself in hex, and the key of that worker's. */
function readItem(type, worker, item) {
    const kind = item[0];
    need(SIZES[kind] === item.length, `${type}: no item`);
    need(sizeOf(worker) <= WORKER_MAX, `${type}: worker`);
    return {kind, item, key: keyOf(worker, item)};
}

function keyOf(worker, item) {
    return `${hex(item)} ${worker}`;
}

/** The key of what that `ate.work` parked. */
function placeKey(worker, index, n) {
    return keyOf(worker, Uint8Array.of(PARKED, ...u64(index), ...u64(n)));
}

function numberAt(item, at) {
    return new DataView(item.buffer, item.byteOffset).getBigUint64(at);
}

export class Work {
    constructor(trust) {
        this.trust = trust;
        this.gone = new Set();    // keys of events' items: worked or parked
        this.parked = new Map();  // key of the place -> {kind, key} of the item
        this.asks = new Map();    // key -> of each ask: is it answered?
    }

    judge(tx, n, event) {
        if (event.type === 'ate.work')
            this.judgeWork(tx, n, event);
        else
            this.judgeAsk(tx, n, event);
    }

    judgeWork(tx, n, event) {
        const f = ownFields(event, {worker: 'str', item: 'bin',
            outcome: 'str'}, {why: 'str'});
        const what = readItem(event.type, f.worker, f.item);
        need(OUTCOMES.get(f.outcome)?.includes(what.kind) &&
            (f.why !== undefined) === (f.outcome === 'parked') &&
            sizeOf(f.why ?? '') <= WHY_MAX,
        'ate.work: its outcome is none, or not one of its item');
        if (what.kind === PARKED)
            this.takeBack(tx, what, f.outcome);
        else
            this.finish(tx, n, event, what, f);
    }

    /** It is done, or parked. */
    finish(tx, n, event, what, {worker, outcome}) {
        this.checkWaits(tx, n, event, what);
        if (what.kind === EVENT)
            this.gone.add(what.key);
        if (outcome === 'parked')
            this.parked.set(placeKey(worker, tx.index, n),
                {kind: what.kind, key: what.key});
        else
            this.asks.delete(what.key);
    }

    /** What is parked waits again, or goes. */
    takeBack(tx, {key}, outcome) {
        need(tx.author === this.trust.orderId || this.trust.mayOrder(tx),
            'ate.work: by nobody who may');
        const what = this.parked.get(key);
        need(what !== undefined, 'ate.work: nothing that was parked there ' +
            'waits for it');
        this.parked.delete(key);
        if (outcome === 'retried')
            this.gone.delete(what.key);
        else if (what.kind === EVENT)
            this.asks.delete(what.key);
    }

    /** As far as the log says. */
    checkWaits(tx, n, {type}, {kind, item, key}) {
        need(tx.author === this.trust.orderId,
            `${type}: not by the order key of the term`);
        if (kind === DUE) {
            need(numberAt(item, 1) - (1n << 63n) <= tx.time,
                `${type}: its time has not come`);
            return;
        }
        const index = numberAt(item, 1);
        need(index < tx.index || index === BigInt(tx.index) &&
            numberAt(item, 9) < n, `${type}: of an event to come`);
        need(!this.gone.has(key), `${type}: it was worked, or is parked`);
    }

    judgeAsk(tx, n, event) {
        const asks = event.type === 'ate.ask';
        const f = ownFields(event, {worker: 'str', item: 'bin', n: 'count',
            ...asks && {service: 'str'}});
        const what = readItem(event.type, f.worker, f.item);
        need(what.kind !== PARKED && f.n < ASKS_MAX &&
            sizeOf(f.service ?? '') <= SERVICE_MAX,
        `${event.type}: its item is parked, or it says too much`);
        this.checkWaits(tx, n, event, what);
        const known = this.asks.get(what.key) ?? [];
        if (asks)
            this.asks.set(what.key, this.ask(known, f.n, what.kind));
        else
            this.answer(known, f.n);
    }

    /** The one before it is answered; gives what is asked then. */
    ask(known, number, kind) {
        if (kind === DUE && number === 0)
            return [false];
        need(number === known.length && known.every((answered) => answered),
            'ate.ask: it was asked, or what comes before it was not answered');
        return [...known, false];
    }

    answer(known, number) {
        need(known[number] === false,
            'ate.answer: it was not asked, or answered already');
        known[number] = true;
    }
}
