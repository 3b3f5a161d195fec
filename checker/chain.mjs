/** chain: check the folder of one chain as a stranger would, from its genesis.
 *
 * Checked is everything that takes no Lua: checksums, hashes, canonical forms,
 * signatures, ids, bodies, author sequences, call ids, versions of objects, the
 * log's tree against what authors saw and heartbeats say, log time, root keys,
 * delegations, the order key of each term. Not: whether the schema has the
 * types and its rules allow the events, the rows of views, what a bundle makes
 * of older objects, and what waits for workers; so verdict digests count where
 * no row changed.
 *
 * Memory is that of live and spent objects, delegations, keys, events that were
 * worked and the calls of a day, not that of the log, whose frames come one by
 * one. */
import {
    Differs, concat, equal, hex, need, u64, utf8,
} from './bytes.mjs';
import {Bodies, Large, bodiesArrived} from './bodies.mjs';
import {
    batchText, checkBundle, keyId, keysBrought, mayHaveWorkers, ownFields,
    readBatch, readFurther, readGenesis, signText, sigsHash,
} from './event.mjs';
import {BATCH, Folder, GENESIS} from './folder.mjs';
import {H, NOTHING, SUITE, Tree, leafHash} from './hash.mjs';
import {array, decode} from './msgpack.mjs';
import {Watched} from './note.mjs';
import {Objects, factId} from './objects.mjs';
import {Signatures, demandEd25519} from './signatures.mjs';
import {AUTHOR, CHAIN, State} from './state.mjs';
import {Tiles} from './tiles.mjs';
import {Trust} from './trust.mjs';
import {Window} from './window.mjs';
import {Work, isWork} from './work.mjs';

const SEEN_FRAMES = 4096;
const OF_A_BODY = {'ate.bundle': 1 << 20, 'ate.ask': 1 << 16,
    'ate.answer': 1 << 16}; // type -> bytes, at most
const ROOT_EVERY = 1 << 16;

export class Chain {
    constructor(files, options) {
        this.options = options;
        this.note = options.note ?? (() => {});
        this.files = files;
        this.folder = new Folder(files, this.note);
        this.signatures = new Signatures(options.crypto);
        this.watched = new Watched(options);
        this.tree = new Tree();
        this.state = new State();
        this.ends = new Map(); // size at the end of a frame -> root in hex
        this.sequences = new Map(); // author -> the next one
        this.activations = [];
        this.rooted = null; // the state root heartbeats may say, when known
        this.verdicts = 0;  // recomputed
        this.bodies = null; // window of the newest body file
        this.large = new Large(files);
        this.newLeaves = [];
    }

    /* ---- frames ---- */

    async check() {
        const {folder} = this;
        await folder.open();
        this.tiles = new Tiles(this.files, folder.cur.idStart, this.note);
        await this.tiles.open();
        for (let frame; (frame = await folder.next()) !== null;) {
            this.options.signal?.throwIfAborted();
            if (!await this.checkFrame(frame))
                break;
            folder.passed(frame);
            for (const leaf of this.newLeaves.splice(0))
                await this.tiles.add(leaf);
            if (this.signatures.isFull())
                await this.signatures.settle();
            this.options.progress?.({bytes: frame.end,
                total: Math.max(folder.mark.offset, frame.end),
                transactions: this.tree.size});
        }
        await this.signatures.settle();
        await this.checkBodyEnd();
        this.tiles.end();
        await this.watched.check(this.signatures, this);
        return this.report();
    }

    report() {
        return {
            id: hex(this.id), name: this.name, transactions: this.tree.size,
            signatures: this.signatures.count, verdicts: this.verdicts,
            root: hex(this.tree.root()),
            state: this.isStateKnown() ? hex(this.state.root()) : null,
        };
    }

    /** False: it ends the log, for its bodies did not arrive. */
    async checkFrame(frame) {
        const {folder} = this;
        this.place = folder.place();
        try {
            await this.openBodies(frame);
            if (frame.bodySize > 0 && !folder.isBelowMark() &&
                    !await bodiesArrived(frame, this.bodies)) {
                await folder.stop('its bodies are not all there');
                return false;
            }
            if (frame.type === GENESIS)
                await this.checkGenesis(frame);
            else
                await this.checkBatch(frame);
            this.addEnd();
            return true;
        } catch (error) {
            if (!(error instanceof Differs))
                throw error;
            await this.signatures.settle(); // what is wrong before comes first
            throw new Differs(`${this.place}: ${error.message}`);
        }
    }

    async openBodies(frame) {
        if (frame.bodySize === 0)
            return;
        const path = `${frame.segment}.body`;
        if (this.bodies?.path === path)
            return;
        if (frame.segment !== this.folder.end.segment)
            await this.checkBodyEnd();
        this.bodies = new Window(this.files, path);
    }

    /** What stands behind the last body is what a write left. */
    async checkBodyEnd() {
        const {segment, bodyOffset} = this.folder.end;
        const path = `${segment}.body`;
        try {
            if (await this.files.read(path, bodyOffset, 1) === null)
                return;
            const set = await new Window(this.files, path)
                .firstSet(bodyOffset);
            if (set >= 0)
                this.note(`${path}: offset ${set}: behind the last body`);
        } catch (error) {
            if (!(error instanceof Differs))
                throw error;
            this.note(error.message); // no body of the log is in there
        }
    }

    addEnd() {
        this.ends.set(this.tree.size, hex(this.tree.root()));
        if (this.ends.size > SEEN_FRAMES)
            this.ends.delete(this.ends.keys().next().value);
    }

    /* ---- genesis ---- */

    async checkGenesis(frame) {
        const [raw, sigs] = array(decode(frame.payload, 'payload'), 'bin list',
            'genesis');
        const genesis = readGenesis(raw);
        this.id = genesis.id;
        this.checkNames();
        need(frame.count === 1, 'genesis fills one index');
        const further = readFurther(sigs, 'root signatures');
        this.begin(genesis);
        for (const sig of further) {
            need(sig.purpose === 'root' && this.trust.rootIds.includes(sig.key),
                'a root signature of no root key');
            this.addSignature(this.trust.keys.get(sig.key), sig, this.id);
        }
        need(further.length >= genesis.k,
            `fewer than ${genesis.k} root signatures`);
        const bodies = new Bodies(frame, null, null);
        const bundle = await bodies.take(genesis.bundleLength, genesis.bundle,
            'bundle', true);
        this.hasWorkers = mayHaveWorkers(checkBundle(bundle));
        bodies.done();
        this.append(0, this.id, sigsHash(NOTHING, further), H('verdict'));
    }

    begin(genesis) {
        this.name = genesis.name;
        this.time = genesis.time;
        this.callMs = genesis.callMs;
        this.bundle = hex(genesis.bundle);
        this.waiting = null; // hash of the bundle that may be activated
        this.objects = new Objects(this.id, this.state, this.note);
        this.state.put(CHAIN, utf8('bundle'), genesis.bundle);
        this.state.put(CHAIN, utf8('time'), genesis.time);
        this.trust = new Trust(genesis, this.state, this.objects);
        this.work = new Work(this.trust);
    }

    /** `cur`, the watermark and the folder's name say which chain this is. */
    checkNames() {
        const id = hex(this.id);
        need(this.folder.mark.chain === id,
            'the genesis is another chain\'s than the watermark says');
        const name = this.options.name ?? '';
        need(!/^[0-9a-f]{64}$/.test(name) || name === id,
            'the folder is named after another chain');
    }

    addSignature(record, sig, txId) {
        this.signatures.add(record[1], signText(this.id, sig.purpose, txId),
            sig.signature, `${this.place}: a further signature is wrong`);
    }

    /* ---- batches ---- */

    async checkBatch(frame) {
        need(frame.type === BATCH, 'a genesis that is not the first');
        const batch = readBatch(this.id, frame.payload);
        const accepted = batch.members.filter((member) => 'events' in member);
        const bundles = await this.takeBodies(frame, accepted);
        need(accepted.length === frame.count, `it counts ${frame.count} ` +
            `transactions, ${accepted.length} are there`);
        this.checkAuthor(batch, accepted);
        accepted.forEach((tx, i) => this.checkTransaction(frame.index + i, tx,
            batch, bundles));
    }

    /** The bodies of all events; those that are bundles. */
    async takeBodies(frame, accepted) {
        const bodies = new Bodies(frame, this.bodies, this.large);
        const bundles = new Map();
        for (const event of accepted.flatMap((tx) => tx.events)) {
            const isBundle = event.type === 'ate.bundle';
            if (event.length === 0)
                continue;
            const body = await bodies.take(event.length, event.bodyHash,
                event.type, isBundle);
            if (isBundle)
                bundles.set(event, body);
            else if (isWork(event.type) && body !== null)
                decode(body, `body of ${event.type}`);
        }
        bodies.done();
        return bundles;
    }

    /** The log knows the author, or his first transaction brings his key. */
    checkAuthor(batch, accepted) {
        const brought = new Map((accepted[0]?.events ?? [])
            .flatMap(keysBrought).map((record) => [keyId(record), record]));
        const record = this.trust.keys.get(batch.author) ??
            brought.get(batch.author);
        need(record !== undefined, 'the author is unknown');
        const tree = new Tree(batch.members.map((member) =>
            'events' in member ? member.id : member));
        this.signatures.add(record[1], batchText(this.id, tree.size,
            tree.root()), batch.signature,
        `${this.place}: the batch signature is wrong`);
    }

    checkTransaction(index, tx, batch, bundles) {
        const signers = (purpose) => new Set([tx.author, ...tx.further
            .filter((sig) => sig.purpose === purpose).map((sig) => sig.key)]);
        Object.assign(tx, {
            index, time: this.time, caller: tx.call.caller ?? tx.author,
            authors: signers('author'), roots: signers('root'),
        });
        this.checkSeen(tx);
        this.checkCall(tx.call);
        this.checkFurther(tx);
        this.state.changed.clear();
        this.checkHeartbeat(tx);
        tx.events.forEach((event, n) => this.checkEvent(tx, n, event, batch,
            bundles));
        this.trust.checkCallerOfKeys(tx);
        this.checkKeysFollowed(tx);
        this.checkSequence(tx);
        if (tx.call.method !== 'ate.heartbeat')
            this.state.putCall(index, tx.call, this.time, this.callMs);
        this.checkVerdict(tx);
        this.append(index, tx.id, sigsHash(batch.signature, tx.further),
            tx.verdict);
    }

    /** Nothing, or the log at the end of a frame that is not too old. */
    checkSeen(tx) {
        need(tx.seenSize === 0 || this.ends.get(tx.seenSize) === tx.seenRoot,
            `it saw another log of ${tx.seenSize} transactions, or one of ` +
            'long ago');
    }

    checkCall(call) {
        if (call.method === 'ate.heartbeat') {
            need(call.isBare, 'a heartbeat that says more of its call');
            return;
        }
        need(!this.state.callTimes.has(call.id),
            `call id ${call.id} for a second time`);
        need(call.bundle === this.bundle, 'a call under another bundle');
    }

    /** Each is good, by a key that is known or comes along. */
    checkFurther(tx) {
        const brought = new Map(tx.events.flatMap(keysBrought)
            .map((record) => [keyId(record), record]));
        for (const sig of tx.further) {
            need(sig.purpose === 'author' || sig.purpose === 'root',
                `a signature for ${sig.purpose}`);
            const record = this.trust.keys.get(sig.key) ??
                brought.get(sig.key);
            need(record !== undefined, 'a signature by an unknown key');
            this.addSignature(record, sig, tx.id);
        }
    }

    checkSequence(tx) {
        need(this.trust.keys.has(tx.author), 'the author is unknown');
        need((this.sequences.get(tx.author) ?? 0n) <= tx.first,
            `sequence ${tx.first} was used before`);
        const next = tx.first + tx.count;
        const record = this.trust.keys.get(tx.author);
        this.sequences.set(tx.author, next);
        this.state.put(AUTHOR, tx.rawAuthor, [next, record]);
    }

    /* ---- events ---- */

    checkEvent(tx, n, event, batch, bundles) {
        if (!event.isOwn) {
            const right = this.objects.rightOf(event);
            this.objects.check(tx, n, event);
            this.trust.checkCaller(tx, event);
            this.trust.checkEvent(tx, event, right);
            this.objects.apply(tx, n, event);
            return;
        }
        this.checkBareFact(tx, n, event);
        this.trust.checkCaller(tx, event);
        if (event.type === 'ate.heartbeat')
            this.beat(event);
        else if (event.type === 'ate.bundle')
            this.checkBundle(tx, n, event, bundles.get(event));
        else if (event.type === 'ate.activate')
            this.activate(tx, event, batch);
        else if (isWork(event.type))
            this.work.judge(tx, n, event);
        else
            this.trust.judge(tx, n, event, tx.events.slice(0, n)
                .map((other) => other.type));
    }

    /** Types of the engine are bare facts and no objects of the state. */
    checkBareFact(tx, n, event) {
        need(equal(factId(this.id, tx, n), event.objectId) &&
            event.parent === null && event.previous === null && !event.deletes,
        `${event.type}: not a bare fact`);
        const most = OF_A_BODY[event.type] ?? 0;
        need(event.length <= most && (event.length > 0) === (most > 0),
            `${event.type}: its body`);
        need(event.authRef === null || event.type === 'ate.delegation',
            `${event.type}: rests on a delegation`);
    }

    checkKeysFollowed(tx) {
        need(tx.events.every((event) => event.type !== 'ate.key') ||
            this.trust.isRoot(tx) || tx.events.some((event) => !event.isOwn),
        'ate.key: nothing that the pipeline takes follows');
    }

    /** Where there is one, it is alone, and of the order key of the term. */
    checkHeartbeat(tx) {
        const isOne = tx.call.method === 'ate.heartbeat';
        need(tx.events.some((event) => event.type === 'ate.heartbeat') ===
            isOne, `method ${tx.call.method}, and events of another kind`);
        if (!isOne)
            return;
        need(tx.events.length === 1 && tx.further.length === 0,
            'a heartbeat is not alone');
        need(tx.author === this.trust.orderId, 'a heartbeat of another key');
        const f = ownFields(tx.events[0], {time: 'count', size: 'int',
            root: '32'}, {state: '32'});
        need(f.time >= this.time, 'log time goes back');
        need(f.size === tx.index && equal(f.root, this.tree.root()),
            'a heartbeat of another log');
        need(f.state === undefined || f.size >= ROOT_EVERY,
            'a state root too early');
        need(f.state === undefined || this.rooted === null ||
            equal(f.state, this.rooted), 'the state root differs');
    }

    beat(event) {
        this.time = event.fields.get('time');
        this.state.put(CHAIN, utf8('time'), this.time);
    }

    checkBundle(tx, n, event, body) {
        ownFields(event, {});
        need(this.trust.isRoot(tx), 'ate.bundle: not by the root keys');
        checkBundle(body);
        this.waiting = hex(event.bodyHash);
        this.state.put(CHAIN, utf8('next'), [event.bodyHash, tx.index, n]);
    }

    /** What it makes of what was there takes Lua. */
    activate(tx, event, batch) {
        const f = ownFields(event, {bundle: '32'}, {state: '32'});
        need(batch.members.length === 1 && tx.events.length === 1,
            'ate.activate: not alone');
        need(this.trust.isRoot(tx), 'ate.activate: not by the root keys');
        need(this.waiting === hex(f.bundle), 'ate.activate: of another bundle');
        this.bundle = this.waiting;
        this.waiting = null;
        this.objects.isConverted = true;
        this.activations.push([tx.index, f.bundle.slice()]);
        this.state.put(CHAIN, utf8('bundle'), f.bundle);
        this.state.put(CHAIN, utf8('bundles'), this.activations);
        this.state.drop(CHAIN, utf8('next'));
    }

    /* ---- what comes of it ---- */

    /** Events of the engine change no rows; others may. */
    checkVerdict(tx) {
        if (equal(this.state.verdict(tx.events), tx.verdict)) {
            this.verdicts++;
            return;
        }
        need(tx.events.some((event) => !event.isOwn),
            'the verdict digest differs');
        this.state.forget();
    }

    /** All of the state takes no Lua: no row of a view was written, and nothing
     * waits for workers. */
    isStateKnown() {
        return this.state.leaves !== null && !this.hasWorkers &&
            this.activations.length === 0;
    }

    append(index, txId, sigs, verdict) {
        const hash = leafHash(concat(SUITE, u64(index), txId, sigs, verdict));
        this.tree.appendHash(hash);
        this.newLeaves.push(hash);
        this.watched.see(index, txId, this.tree);
        if (this.tree.size % ROOT_EVERY === 0)
            this.rooted = this.isStateKnown() ? this.state.root() : null;
    }
}

/** Check a chain's folder. `files` is as window.mjs says. Options:
 *
 * - `crypto`: Web Crypto, `globalThis.crypto` in a browser
 * - `name`: of the folder, which may be the chain's id
 * - `checkpoints`, `receipts`: texts that the chain has to fit; a receipt as
 *   doors give it, in base64
 * - `note(text)`: what is odd and takes nothing away, as a damaged watermark
 * - `progress({bytes, total, transactions})`: after each frame
 * - `signal`: an AbortSignal that ends it, by its reason
 *
 * Gives {id, name, transactions, signatures, verdicts, root, state}; `state` is
 * null where it takes Lua. Throws Differs, or what `read` threw. */
export async function checkChain(files, options) {
    await demandEd25519(options.crypto);
    return new Chain(files, options).check();
}
