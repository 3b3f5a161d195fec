/** event: what genesis, events, transactions and batches are, each by itself
 * (docs/format.md, section 3). Ids are texts of hex. */
import {
    compare, concat, equal, hex, isSorted, need, utf8,
} from './bytes.mjs';
import {H, SUITE, Tree} from './hash.mjs';
import {array, decode, each, encode, keep, needShape} from './msgpack.mjs';

export const DELETES = 1;
const HEADER_MAX = 64 << 10;
const HEADERS_MAX = 1 << 20;
const TX_HEADER_MAX = 1 << 10;
const EVENTS_MAX = 4096;
const SECTION_MAX = 64 << 10;
const BODY_MAX = 2 ** 38;
const SEQUENCE_MAX = (1n << 63n) - 1n - 4096n;
const FURTHER_MAX = 64;
const LIMITS = {gas: 16000000, memory: 64 << 20, call_ms: Infinity};

const TYPE = /^[a-z0-9_]+\.[a-z0-9_]+$/;
const METHOD = /^[a-z0-9_.]{1,128}$/;
const PURPOSE = /^[a-z0-9_.-]{1,64}$/;
const STAGE = /^[a-z0-9_.-]+$/;
const CONTROL = /[\x00-\x1f\x7f]/;

/** A part of a path. */
function isSegment(name) {
    const size = utf8(name).length;
    return size >= 1 && size <= 255 && !CONTROL.test(name) &&
        !name.startsWith('.') && !name.includes('/');
}

/* ---- keys ---- */

/** The id of a key record, in hex. */
export function keyId(record) {
    array(record, 'int 32 32', 'key record');
    need(record[0] === 1, `suite ${record[0]} is unknown`);
    return hex(H('key', encode(record)));
}

/** k of different keys: their ids, in order. */
export function checkRoots(records, k, what) {
    const ids = records.map(keyId);
    need(k >= 1 && k <= records.length && records.length <= 16,
        `${what}: ${k} of ${records.length}`);
    need(new Set(records.map((record) => hex(record[1]))).size ===
        records.length, `${what}: two records of one sign key`);
    return ids;
}

/* ---- genesis ---- */

function checkName(name) {
    need(utf8(name).length <= 255 && name.split('/').every(isSegment),
        'genesis: no name');
}

function checkLimits(limits) {
    need(limits.size <= 64, 'genesis: over 64 limits');
    for (const [name, value] of limits) {
        need(Object.hasOwn(LIMITS, name), `genesis: limit ${name} is unknown`);
        needShape(value, 'count', 'genesis: limits');
        need(name === 'call_ms' || value >= 1 && value <= LIMITS[name],
            `genesis: limit ${name}`);
    }
}

/** What genesis says; `raw` is all of it. */
export function readGenesis(raw) {
    need(raw.length <= HEADER_MAX, 'genesis is over 64 KiB');
    const [format, suite, , time, name, partition, roots, k, next, order,
        pipeline, limits, version, bundle, bundleLength] = array(
        decode(raw, 'genesis'), 'int int 16 int str str list int 32? list ' +
        'list map str 32 int', 'genesis');
    need(format === 1 && suite === 1, 'genesis: format or suite is unknown');
    checkName(name);
    checkName(partition);
    need(isSegment(version) && utf8(version).length <= 64,
        'genesis: engine version');
    each(pipeline, 'str', 'genesis: pipeline');
    need(pipeline.length >= 1 && pipeline.length <= 16 &&
        new Set(pipeline).size === pipeline.length &&
        pipeline.every((stage) => STAGE.test(stage)), 'genesis: pipeline');
    checkLimits(limits);
    need(bundleLength >= 1 && bundleLength <= 1 << 20,
        'genesis: its bundle is too large');
    checkRoots(roots, k, 'genesis: root keys');
    keyId(order);
    return {
        id: H('genesis', raw), time, name, roots: keep(roots), k,
        next: next && next.slice(), order: keep(order), pipeline,
        callMs: limits.get('call_ms') ?? 86400000,
        bundle: bundle.slice(), bundleLength,
    };
}

/** A bundle: its modules are sorted, the main one is among them; gives them. */
export function checkBundle(raw) {
    const [main, modules] = array(decode(raw, 'bundle'), 'str list', 'bundle');
    need(modules.length >= 1 && modules.length <= 256,
        `bundle: ${modules.length} modules`);
    for (const module of modules) {
        const [name, file] = array(module, 'str str str', 'bundle: module');
        for (const word of [name, file]) {
            const size = utf8(word).length;
            need(size >= 1 && size <= 255 && !CONTROL.test(word),
                'bundle: name of a module');
        }
    }
    const names = modules.map(([name]) => name);
    need(isSorted(names.map(utf8)) && names.includes(main),
        'bundle: modules are not sorted, or the main one is missing');
    return modules;
}

/** Does a bundle of these modules declare workers, perhaps? Those of ate itself
 * declare none. */
export function mayHaveWorkers(modules) {
    return modules.some(([name, , source]) => name !== 'ate' &&
        !name.startsWith('ate.') && /worker/.test(source));
}

/* ---- events ---- */

/** An event header. */
export function readEvent(chainId, raw) {
    need(raw.length <= HEADER_MAX, 'an event header over 64 KiB');
    const [object, type, parent, previous, author, authRef, flags, length,
        bodyHash, seal, fields] = array(decode(raw, 'event header'),
        '16 str 16? 32? 32 32? int int 32? list? map', 'event header');
    need(TYPE.test(type) && type.length <= 128, 'event header: no type');
    need(flags === 0 || flags === DELETES, `${type}: unknown flags`);
    need(length >= 0 && length <= BODY_MAX && (length === 0) ===
        (bodyHash === null), `${type}: body length and hash do not fit`);
    need(seal === null, `${type}: seals are not known to this program`);
    const id = H('event', SUITE, chainId, raw);
    return {
        raw, rawId: id, id: hex(id), objectId: object, object: hex(object),
        type, parent: parent && hex(parent),
        previous: previous && hex(previous), author: hex(author),
        authRef: authRef && hex(authRef), deletes: flags === DELETES, length,
        bodyHash, fields, isOwn: type.startsWith('ate.'),
    };
}

/** The fields of an event of the engine, of these shapes: `{until: 'int'}`. */
export function ownFields(event, needed, optional = {}) {
    for (const name of Object.keys(needed))
        need(event.fields.has(name), `${event.type}: no ${name}`);
    for (const [name, value] of event.fields) {
        const shape = Object.hasOwn(needed, name) ? needed[name]
            : Object.hasOwn(optional, name) ? optional[name] : null;
        need(shape !== null, `${event.type}: field ${name} is unknown`);
        needShape(value, shape, `${event.type}: ${name}`);
    }
    return Object.fromEntries(event.fields);
}

/** The key records that an event brings along. */
export function keysBrought(event) {
    if (event.type === 'ate.key') {
        const f = ownFields(event, {suite: 'int', sign: '32', box: '32'});
        return [[f.suite, f.sign, f.box]];
    }
    return event.type === 'ate.roots'
        ? needShape(event.fields.get('keys') ?? null, 'list', 'ate.roots') : [];
}

/* ---- transactions ---- */

/** Further signatures, sorted by key id, then purpose, none twice. */
export function readFurther(list, what) {
    need(list.length <= FURTHER_MAX, `${what}: more than ${FURTHER_MAX}`);
    const order = [];
    const out = list.map((item) => {
        const [key, purpose, signature] = array(item, '32 str 64', what);
        need(PURPOSE.test(purpose), `${what}: no purpose`);
        order.push(concat(key, utf8(purpose)));
        return {rawKey: key, key: hex(key), purpose, signature};
    });
    need(isSorted(order), `${what}: not sorted, or one is there twice`);
    return out;
}

/** H of a transaction's signatures, as its leaf has it. */
export function sigsHash(batchSignature, further) {
    return H('sigs', batchSignature, ...further.flatMap((sig) =>
        [sig.rawKey, sig.purpose, sig.signature]));
}

function readCall(call) {
    const [id, method, bundle, args, reads, result, caller, token] = array(call,
        '16 str 32? 32? 32? 32? 32? 32?', 'call');
    need(METHOD.test(method), 'call: no method');
    need(token === null, 'call: tokens are not known to this program');
    return {
        rawId: id, id: hex(id), method, bundle: bundle && hex(bundle), args,
        reads, result, caller: caller && hex(caller),
        isBare: [bundle, args, reads, result, caller].every((x) => x === null),
    };
}

/** A read set or result: what its digest says. Proofs come without. */
function checkSection(section, label, digest) {
    if (section === null)
        return;
    need(section.length >= 1 && section.length <= SECTION_MAX,
        `${label}: ${section.length} bytes`);
    need(digest !== null && equal(H(label, section), digest),
        `${label}: the digest differs`);
    decode(section, label);
}

function compareReads(a, b) {
    return a.kind - b.kind || a.parts.length - b.parts.length ||
        compare(a.parts[0], b.parts[0]) ||
        (a.parts.length > 1 ? compare(a.parts[1], b.parts[1]) : 0);
}

/** A read set: single entries, then ranges, each once, in order. */
function checkReads(section) {
    const what = 'read set';
    const entries = needShape(decode(section, what), 'list', what)
        .map((entry) => {
            needShape(entry, 'list', what);
            const isRange = Array.isArray(entry[1]);
            const [kind, key] = array(entry, isRange ? 'int list 32'
                : 'int bin 32', what);
            need(isRange ? [3, 0x41, 0x42].includes(kind)
                : [2, 3].includes(kind), `${what}: kind ${kind}`);
            return {kind,
                parts: isRange ? array(key, 'bin bin', what) : [key]};
        });
    need(entries.every((entry, i) => i === 0 ||
        compareReads(entries[i - 1], entry) < 0),
    `${what}: not sorted, or one is there twice`);
}

/** A member of a batch that was accepted. */
export function readMember(chainId, author, member) {
    const [raw, further, headers, reads, result, verdict] = array(member,
        'bin list list bin? bin? 32', 'member');
    need(raw.length <= TX_HEADER_MAX, 'a transaction header over 1 KiB');
    const [by, first, count, eventRoot, seenSize, seenRoot, call] = array(
        decode(raw, 'transaction header'), '32 int int 32 int 32? list',
        'transaction header');
    need(equal(by, author), 'a transaction of another author');
    each(headers, 'bin', 'event headers');
    need(headers.length === count && count >= 1 && count <= EVENTS_MAX,
        `${headers.length} events, its header counts ${count}`);
    need(headers.reduce((sum, header) => sum + header.length, 0) <=
        HEADERS_MAX, 'event headers over 1 MiB');
    need(first >= 0 && first <= SEQUENCE_MAX, 'no first sequence');
    need(seenSize >= 0 && (seenSize === 0) === (seenRoot === null),
        'seen: size and root do not fit');
    const events = headers.map((header) => readEvent(chainId, header));
    need(equal(new Tree(events.map((event) => event.rawId)).root(), eventRoot),
        'the event root differs');
    const name = hex(by);
    need(events.every((event) => event.author === name),
        'an event of another author');
    const tx = {
        id: H('tx', SUITE, chainId, raw), author: name, rawAuthor: author,
        first: BigInt(first), count: BigInt(count), seenSize,
        seenRoot: seenRoot && hex(seenRoot), call: readCall(call),
        further: readFurther(further, 'further signatures'), events, verdict,
    };
    checkSection(reads, 'reads', tx.call.reads);
    checkSection(result, 'result', tx.call.result);
    if (reads !== null)
        checkReads(reads);
    tx.isWhole = (reads === null) === (tx.call.reads === null) &&
        (result === null) === (tx.call.result === null);
    return tx;
}

/** A member as logs have it: nothing that its author wrote was left out. */
function readWhole(chainId, author, member) {
    const tx = readMember(chainId, author, member);
    need(tx.isWhole, 'its read set or its result was left out');
    return tx;
}

/** A batch: author, signature, and its members; those that were refused are
 * bytes, their tx ids. */
export function readBatch(chainId, payload) {
    const [author, signature, members] = array(decode(payload, 'payload'),
        '32 64 list', 'batch');
    need(members.length >= 1 && members.length <= 4096,
        `a batch of ${members.length} members`);
    return {
        author: hex(author), signature,
        members: members.map((member) => member instanceof Uint8Array
            ? needShape(member, '32', 'a refused member')
            : readWhole(chainId, author, member)),
    };
}

/** What the author of a batch signs. */
export function batchText(chainId, count, root) {
    return H('batch', SUITE, chainId, count, root);
}

/** What a further signer signs. */
export function signText(chainId, purpose, txId) {
    return H('sign', SUITE, chainId, purpose, txId);
}
