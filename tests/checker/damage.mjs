/** damage: what may become of a chain's files, by accident or by somebody who
 * knows the format: checksums, chain hashes, watermarks and `cur` made good
 * again. Each kind gives {what, files}; the files that changed are new. */
import {concat, hex, padded, unhex} from '../../checker/bytes.mjs';
import {crc32c} from '../../checker/crc32c.mjs';
import {H} from '../../checker/hash.mjs';

const FRAMES_START = 0x2000;
const SLOTS = [0, 0x1000];

function view(bytes) {
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function put32(bytes, at, value) {
    view(bytes).setUint32(at, value >>> 0, true);
}

function headName(files) {
    return [...files.keys()].find((name) => name.endsWith('.head'));
}

/** Frames of a good header file: {at, end, size, inline}. */
function framesOf(head) {
    const frames = [];
    for (let at = FRAMES_START; at + 96 <= head.length && head[at] === 0x41;) {
        const size = view(head).getUint32(at + 28, true);
        const inline = view(head).getUint32(at + 32, true);
        const end = at + 96 + padded(size) + padded(inline);
        frames.push({at, end, size, inline});
        at = end;
    }
    return frames;
}

function chainHash(head, {at, size}, before) {
    const v = view(head);
    return H('frame', before, v.getUint16(at + 4, true),
        v.getBigUint64(at + 8, true), v.getBigUint64(at + 16, true),
        v.getUint32(at + 24, true), head.slice(at + 96, at + 96 + size))
        .slice(0, 16);
}

/** A chain to be damaged. */
export class Victim {
    constructor(name, files) {
        this.name = name;
        this.files = files;
        this.headName = headName(files);
        this.head = files.get(this.headName);
        this.frames = framesOf(this.head);
        this.hashes = [];
        for (const frame of this.frames)
            this.hashes.push(hex(chainHash(this.head, frame,
                unhex(this.hashes.at(-1) ?? '0'.repeat(32)))));
    }

    /** The same files but for some. */
    with(changed) {
        return new Map([...this.files, ...Object.entries(changed)]);
    }

    withHead(head) {
        return this.with({[this.headName]: head});
    }

    /** Make every checksum and chain hash of a header file good; its frames are
     * where they were. */
    mend(head) {
        const renewed = new Map([['0'.repeat(32), new Uint8Array(16)]]);
        let before = new Uint8Array(16);
        this.frames.forEach((frame, i) => {
            const {at, size, inline} = frame;
            const bodies = at + 96 + padded(size);
            head.set(before, at + 56);
            put32(head, at + 80, crc32c(head.subarray(at + 96,
                at + 96 + size)));
            put32(head, at + 84, crc32c(head.subarray(bodies,
                bodies + inline)));
            put32(head, at + 92, crc32c(head.subarray(at, at + 92)));
            before = chainHash(head, frame, before);
            renewed.set(this.hashes[i], before);
        });
        for (const at of SLOTS) {
            const now = renewed.get(hex(head.subarray(at + 96, at + 112)));
            if (now === undefined || head[at] === 0)
                continue;
            head.set(now, at + 96);
            put32(head, at + 124, crc32c(head.subarray(at, at + 124)));
        }
        const cur = this.files.get('cur').slice();
        cur.set(renewed.get(this.hashes[0]), 32);
        put32(cur, 60, crc32c(cur.subarray(0, 60)));
        return this.with({[this.headName]: head, cur});
    }
}

/* ---- kinds ---- */

function flipped(bytes, at, bit) {
    const out = bytes.slice();
    out[at] ^= 1 << bit;
    return out;
}

/** How many bytes of a file say something: behind the tiles that its header
 * counts there may be anything. */
function meant(name, bytes) {
    if (name !== 'tiles' || bytes.length < 64)
        return bytes.length;
    const count = new DataView(bytes.buffer, bytes.byteOffset, 64)
        .getBigUint64(40, true);
    return Math.min(bytes.length, 8192 * (1 + Number(count)));
}

/** A bit anywhere in a file. */
function flip(victim, rng) {
    const sized = [...victim.files].filter(([, bytes]) => bytes.length > 0);
    const [name, bytes] = rng.pick(sized);
    const at = rng.below(meant(name, bytes));
    const bit = rng.below(8);
    return {what: `${name}, offset ${at}, bit ${bit}`, isFlip: true,
        files: victim.with({[name]: flipped(bytes, at, bit)})};
}

/** A bit where something stands: cur, a slot, a frame's header or its parts. */
function flipDense(victim, rng) {
    const frame = rng.pick(victim.frames);
    const spans = [[0, 128], [0x1000, 128], [frame.at, 96],
        [frame.at + 96, frame.end - frame.at - 96]];
    const [start, size] = rng.pick(spans.filter((span) => span[1] > 0));
    const at = start + rng.below(size);
    return {what: `head, offset ${at}`, isFlip: true,
        files: victim.withHead(flipped(victim.head, at, rng.below(8)))};
}

function flipCur(victim, rng) {
    const at = rng.below(64);
    return {what: `cur, offset ${at}`, isFlip: true, files: victim.with({
        cur: flipped(victim.files.get('cur'), at, rng.below(8))})};
}

/** A bit of payload or inline section, checksums and hashes good. */
function flipMended(victim, rng) {
    const spans = victim.frames.flatMap(({at, size, inline}) => [
        [at + 96, size], [at + 96 + padded(size), inline]])
        .filter((span) => span[1] > 0);
    let place = rng.below(spans.reduce((sum, span) => sum + span[1], 0));
    const [start] = spans.find((span) => {
        if (place < span[1])
            return true;
        place -= span[1];
        return false;
    });
    return {what: `mended, offset ${start + place}`, isFlip: true,
        files: victim.mend(flipped(victim.head, start + place, rng.below(8)))};
}

/** A field of a frame's header, checksums and hashes good. */
function fieldMended(victim, rng) {
    const frame = rng.pick(victim.frames);
    const [at, size] = rng.pick([[4, 2], [6, 2], [8, 8], [16, 8], [24, 4],
        [36, 4], [40, 8], [48, 8], [72, 8], [88, 4]]);
    const head = victim.head.slice();
    const value = rng.pick([0, 1, 2, 8, 0x7f, 0xff]);
    head.fill(0, frame.at + at, frame.at + at + size);
    head[frame.at + at + rng.below(size)] = value;
    return {what: `mended, field ${at} of the frame at ${frame.at} ` +
        `with ${value}`, files: victim.mend(head)};
}

/** A field of a slot, its checksum good. */
function slotMended(victim, rng) {
    const slot = rng.pick(SLOTS);
    const at = slot + rng.pick([7, 8, 30, 40, 48, 56, 57, 64, 72, 80, 84, 88,
        96, 112]);
    const head = victim.head.slice();
    head[at] ^= 1 << rng.below(8);
    put32(head, slot + 124, crc32c(head.subarray(slot, slot + 124)));
    return {what: `slot mended, offset ${at}`, files: victim.withHead(head)};
}

function curMended(victim, rng) {
    const cur = victim.files.get('cur').slice();
    const at = rng.below(60);
    cur[at] ^= 1 << rng.below(8);
    put32(cur, 60, crc32c(cur.subarray(0, 60)));
    return {what: `cur mended, offset ${at}`, files: victim.with({cur})};
}

/** A file that ends early; half of the time where a frame does. */
function cut(victim, rng) {
    const [name, bytes] = rng.pick([...victim.files]);
    let at = rng.below(bytes.length + 1);
    if (name === victim.headName && rng.below(2) === 0)
        at = rng.pick(victim.frames).end;
    return {what: `${name} cut to ${at}`,
        files: victim.with({[name]: bytes.slice(0, at)})};
}

/** Both watermarks say that less was durable; then the tail may be torn. */
function lowerMark(victim, rng, head) {
    const n = rng.below(victim.frames.length);
    const frame = victim.frames[n];
    const v = view(head);
    for (const at of SLOTS) {
        if (head[at] === 0)
            continue;
        v.setBigUint64(at + 56, BigInt(frame.end), true);
        v.setBigUint64(at + 64, BigInt(n + 1), true);
        v.setBigUint64(at + 72, v.getBigUint64(frame.at + 16, true) +
            BigInt(v.getUint32(frame.at + 24, true)), true);
        let [segment, offset] = [1, 0n];
        for (const {at: f} of victim.frames.slice(0, n + 1)) {
            if (v.getBigUint64(f + 48, true) > 0n) {
                segment = v.getUint32(f + 36, true);
                offset = v.getBigUint64(f + 40, true) +
                    v.getBigUint64(f + 48, true);
            }
        }
        v.setUint32(at + 80, segment, true);
        v.setBigUint64(at + 88, offset, true);
        head.set(unhex(victim.hashes[n]), at + 96);
        put32(head, at + 124, crc32c(head.subarray(at, at + 124)));
    }
    return frame.end;
}

/** The end was being written when the machine stopped. */
function torn(victim, rng) {
    const head = victim.head.slice();
    const from = lowerMark(victim, rng, head);
    const kind = rng.pick(['whole', 'cut', 'flip', 'zeros']);
    const at = from + rng.below(head.length - from + 1);
    if (kind === 'flip' && at < head.length)
        head[at] ^= 1 << rng.below(8);
    if (kind === 'zeros')
        head.fill(0, at);
    return {what: `watermark at ${from}, ${kind} at ${at}`,
        files: victim.withHead(kind === 'cut' ? head.slice(0, at) : head)};
}

/** So are bodies. */
function tornBodies(victim, rng) {
    const head = victim.head.slice();
    const from = lowerMark(victim, rng, head);
    const body = victim.files.get('1.body') ?? new Uint8Array(0);
    const at = rng.below(body.length + 1);
    return {what: `watermark at ${from}, 1.body cut to ${at}`, files:
        victim.with({[victim.headName]: head, '1.body': body.slice(0, at)})};
}

function missing(victim, rng) {
    const name = rng.pick([...victim.files.keys()]);
    const files = new Map(victim.files);
    files.delete(name);
    return {what: `no ${name}`, files};
}

function empty(victim, rng) {
    const name = rng.pick([...victim.files.keys()]);
    return {what: `${name} is empty`,
        files: victim.with({[name]: new Uint8Array(0)})};
}

/** Something else in the file's place, of its size. */
function foreign(victim, rng) {
    const [name, bytes] = rng.pick([...victim.files]);
    const noise = bytes.map(() => rng.below(256));
    if (rng.below(2) === 0)
        noise.set(bytes.subarray(0, Math.min(200, bytes.length)));
    return {what: `${name} is noise`, files: victim.with({[name]: noise})};
}

/** Another chain's file. */
function exchanged(victim, rng, others) {
    const other = rng.pick(others);
    const name = rng.pick([...other.files.keys()]);
    return {what: `${name} of ${other.name}`,
        files: victim.with({[name]: other.files.get(name)})};
}

/** Another chain's frames behind this one's, or in their middle. */
function grafted(victim, rng, others) {
    const other = rng.pick(others);
    const at = rng.pick(victim.frames).end;
    const from = rng.pick(other.frames);
    return {what: `frames of ${other.name} from ${at} on`,
        files: victim.withHead(concat(victim.head.subarray(0, at),
            other.head.subarray(from.at)))};
}

/** A frame is left out, doubled, or changes places with the next; chained
 * again. */
function reordered(victim, rng) {
    const frames = victim.frames.map(({at, end}) =>
        victim.head.slice(at, end));
    const at = rng.below(frames.length);
    const kind = rng.pick(['left out', 'doubled', 'exchanged']);
    if (kind === 'left out')
        frames.splice(at, 1);
    else if (kind === 'doubled')
        frames.splice(at, 0, frames[at]);
    else
        frames.splice(at, 2, ...frames.slice(at, at + 2).reverse());
    const head = concat(victim.head.slice(0, FRAMES_START), ...frames);
    const isMended = rng.below(2) === 0;
    if (isMended)
        rechain(head);
    return {what: `frame ${at} ${kind}${isMended ? ', mended' : ''}`,
        files: victim.withHead(head)};
}

/** Sequence numbers, indices, hashes and the watermarks, all as they would
 * be. */
function rechain(head) {
    const frames = framesOf(head);
    const v = view(head);
    let before = new Uint8Array(16);
    let index = 0n;
    frames.forEach((frame, n) => {
        v.setBigUint64(frame.at + 8, BigInt(n), true);
        v.setBigUint64(frame.at + 16, index, true);
        index += BigInt(v.getUint32(frame.at + 24, true));
        head.set(before, frame.at + 56);
        put32(head, frame.at + 92,
            crc32c(head.subarray(frame.at, frame.at + 92)));
        before = chainHash(head, frame, before);
    });
    for (const at of SLOTS) {
        if (head[at] === 0 || frames.length === 0)
            continue;
        v.setBigUint64(at + 56, BigInt(frames.at(-1).end), true);
        v.setBigUint64(at + 64, BigInt(frames.length), true);
        v.setBigUint64(at + 72, index, true);
        head.set(before, at + 96);
        put32(head, at + 124, crc32c(head.subarray(at, at + 124)));
    }
}

/** Something behind the end. */
function longer(victim, rng) {
    const [name, bytes] = rng.pick([...victim.files]);
    const more = new Uint8Array(1 + rng.below(300));
    if (rng.below(2) === 0)
        more.fill(rng.below(256));
    return {what: `${name} is longer by ${more.length}`,
        files: victim.with({[name]: concat(bytes, more)})};
}

export const KINDS = [flip, flip, flipDense, flipDense, flipCur, flipMended,
    flipMended, flipMended, fieldMended, slotMended, curMended, cut, cut, torn,
    torn, tornBodies, missing, empty, foreign, exchanged, grafted, reordered,
    reordered, longer];
