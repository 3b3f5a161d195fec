/** tlog: what a transparency log shows, from C2SP's pages signed-note,
 * tlog-checkpoint, tlog-tiles and tlog-proof and from RFC 9162 alone: nothing
 * here knows what the log is about. */
import {equal, hex, need, text, unbase64, utf8} from './bytes.mjs';
import {NOTHING, leafHash, nodeHash, rootOfProof} from './hash.mjs';
import {keyHash} from './note.mjs';
import {sha256} from './sha256.mjs';
import {Signatures, demandEd25519} from './signatures.mjs';
import {readWhole} from './window.mjs';

const WIDTH = 256;
const NOTE_MAX = 1 << 16;
const ENTRIES_MAX = WIDTH * (2 + 65535);
const CONTROL = /[\x00-\x09\x0b-\x1f]/;

/* ---- notes ---- */

/** A key that checks notes: `<name>+<key hash>+<base64 of type and key>`. */
export function readVkey(vkey) {
    const found = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey);
    need(found !== null, `no vkey: ${vkey}`);
    const [, name, hash, data] = found;
    const raw = unbase64(data, 'vkey');
    need(raw.length === 33 && raw[0] === 1, 'vkey: not of Ed25519');
    const key = raw.subarray(1);
    need(keyHash(name, key) === hash, 'vkey: its hash is another one');
    return {name, hash, key};
}

/** The text of a note that a key signed. */
async function openNote(bytes, vkey, signatures) {
    const note = text(bytes, 'checkpoint');
    need(!CONTROL.test(note), 'checkpoint: control characters');
    const split = note.lastIndexOf('\n\n');
    need(split >= 0 && note.endsWith('\n') && split + 2 < note.length,
        'checkpoint: not a note');
    const signed = note.slice(0, split + 1);
    let isSigned = false;
    for (const line of note.slice(split + 2, -1).split('\n')) {
        const found = /^\u2014 ([^ +]+) ([A-Za-z0-9+/=]+)$/.exec(line);
        need(found !== null, 'checkpoint: a signature line is malformed');
        const data = unbase64(found[2], 'checkpoint: signature');
        if (found[1] !== vkey.name || hex(data.subarray(0, 4)) !== vkey.hash)
            continue; // of somebody else
        signatures.add(vkey.key, utf8(signed), data.subarray(4),
            'checkpoint: the signature is wrong');
        isSigned = true;
    }
    need(isSigned, 'checkpoint: the key did not sign it');
    await signatures.settle();
    return signed;
}

/** A checkpoint that a key signed: its size and root. */
export async function openCheckpoint(bytes, vkey, signatures) {
    const lines = (await openNote(bytes, vkey, signatures)).split('\n');
    need(lines.length >= 4 && lines.slice(0, -1).every((line) => line !== ''),
        'checkpoint: its lines');
    const [origin, size, root] = lines;
    need(origin === vkey.name, `checkpoint: of ${origin}`);
    need(/^(0|[1-9][0-9]{0,15})$/.test(size), 'checkpoint: no size');
    const hash = unbase64(root, 'checkpoint: root');
    need(hash.length === 32, 'checkpoint: root');
    return {origin, size: Number(size), root: hash};
}

/* ---- proofs ---- */

/** A tlog-proof: {extra, index, hashes, checkpoint}, nothing checked. */
export function readProof(bytes) {
    let split = 0;
    while (split < bytes.length &&
        !(bytes[split] === 10 && bytes[split + 1] === 10))
        split++;
    need(split + 2 <= bytes.length, 'proof: no checkpoint');
    const lines = text(bytes.subarray(0, split), 'proof').split('\n');
    need(lines.shift() === 'c2sp.org/tlog-proof@v1', 'proof: its first line');
    const extra = lines[0]?.startsWith('extra ')
        ? unbase64(lines.shift().slice(6), 'proof: extra') : null;
    const found = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() ?? '');
    need(found !== null, 'proof: no index');
    const hashes = lines.map((line) => unbase64(line, 'proof: hash'));
    need(hashes.every((hash) => hash.length === 32), 'proof: hash');
    return {extra, index: Number(found[1]), hashes,
        checkpoint: bytes.subarray(split + 2)};
}

export function checkInclusion(leaf, index, checkpoint, hashes) {
    need(index < checkpoint.size, `no leaf ${index} of ${checkpoint.size}`);
    const root = rootOfProof(leafHash(leaf), index, checkpoint.size, hashes);
    need(root !== null, 'inclusion: too many or too few hashes');
    need(equal(root, checkpoint.root), 'inclusion: another root');
}

/** Check a tlog-proof of a leaf; its index and checkpoint. */
export async function checkLeaf(bytes, {leaf, vkey, crypto}) {
    await demandEd25519(crypto);
    const signatures = new Signatures(crypto);
    const proof = readProof(bytes);
    const checkpoint = await openCheckpoint(proof.checkpoint, readVkey(vkey),
        signatures);
    checkInclusion(leaf, proof.index, checkpoint, proof.hashes);
    return {index: proof.index, ...checkpoint};
}

/** RFC 9162, 2.1.4.2. */
function checkConsistency(then, now, proof) {
    need(then.size > 0 && then.size <= now.size,
        `no tree of ${then.size} before one of ${now.size}`);
    if (then.size === now.size) {
        need(proof.length === 0 && equal(then.root, now.root),
            'consistency: another root');
        return;
    }
    let first = BigInt(then.size - 1);
    let last = BigInt(now.size - 1);
    const isWhole = (BigInt(then.size) & first) === 0n;
    const hashes = isWhole ? [then.root, ...proof] : [...proof];
    for (; first & 1n; first >>= 1n)
        last >>= 1n;
    need(hashes.length > 0, 'consistency: no hashes');
    let old = hashes.shift();
    let young = old;
    for (const hash of hashes) {
        need(last !== 0n, 'consistency: too many hashes');
        if (first & 1n || first === last) {
            old = nodeHash(hash, old);
            young = nodeHash(hash, young);
            for (; !(first & 1n) && first !== 0n; first >>= 1n)
                last >>= 1n;
        } else {
            young = nodeHash(young, hash);
        }
        first >>= 1n;
        last >>= 1n;
    }
    need(last === 0n, 'consistency: too few hashes');
    need(equal(old, then.root), `consistency: another root of ${then.size}`);
    need(equal(young, now.root), `consistency: another root of ${now.size}`);
}

/* ---- trees ---- */

/** `tile/<level>/<n>`, as tlog-tiles writes n. */
function tilePath(level, n, width) {
    let path = String(n % 1000).padStart(3, '0');
    for (n = Math.floor(n / 1000); n > 0; n = Math.floor(n / 1000))
        path = `x${String(n % 1000).padStart(3, '0')}/${path}`;
    return `tile/${level}/${path}${width === WIDTH ? '' : `.p/${width}`}`;
}

/** The root of a power of two of hashes. */
function fold(hashes) {
    while (hashes.length > 1)
        hashes = hashes.filter((_, i) => i % 2 === 0)
            .map((left, i) => nodeHash(left, hashes[2 * i + 1]));
    return hashes[0];
}

/** The largest power of two below `count`, from 2 on. */
function half(count) {
    let k = 1;
    while (2 * k < count)
        k *= 2;
    return k;
}

class TileTree {
    constructor(files, size) {
        this.files = files;
        this.size = size;
        this.kept = new Map();
    }

    /** So many hashes a level has. */
    width(level) {
        return Math.floor(this.size / WIDTH ** level);
    }

    async read(path, most) {
        const bytes = await readWhole(this.files, path, most);
        need(bytes !== null, `${path}: no such file`);
        return bytes;
    }

    /** A tile's hashes; a handful stays at hand. */
    async tile(level, n) {
        const width = Math.min(WIDTH, this.width(level) - n * WIDTH);
        const path = tilePath(level, n, width);
        if (!this.kept.has(path)) {
            const bytes = await this.read(path, 32 * WIDTH);
            need(bytes.length === 32 * width, `${path}: ${bytes.length} bytes`);
            if (this.kept.size >= 64)
                this.kept.delete(this.kept.keys().next().value);
            this.kept.set(path, Array.from({length: width}, (_, i) =>
                bytes.subarray(32 * i, 32 * i + 32)));
        }
        return this.kept.get(path);
    }

    /** The root of 2^height leaves, from the tile that begins with them. */
    async subtree(height, index) {
        const level = Math.floor(height / 8);
        const count = 2 ** (height % 8);
        const first = index * count;
        const tile = await this.tile(level, Math.floor(first / WIDTH));
        return fold(tile.slice(first % WIDTH, first % WIDTH + count));
    }

    /** MTH(D[start:end]) of RFC 9162, 2.1.1. */
    async mth(start, end) {
        const count = end - start;
        if (count === 0)
            return sha256(NOTHING);
        const height = Math.log2(count);
        if (Number.isInteger(height) && start % count === 0)
            return this.subtree(height, start / count);
        const k = half(count);
        return nodeHash(await this.mth(start, start + k),
            await this.mth(start + k, end));
    }

    /** PROOF(first, D[size]) of 2.1.4.1. */
    async consistency(first, start = 0, end = this.size, isWhole = true) {
        const count = end - start;
        if (first === count)
            return isWhole ? [] : [await this.mth(start, end)];
        const k = half(count);
        return first <= k
            ? [...await this.consistency(first, start, start + k, isWhole),
                await this.mth(start + k, end)]
            : [...await this.consistency(first - k, start + k, end, false),
                await this.mth(start, start + k)];
    }

    /** Every tile, against the level below it; every entry. */
    async check() {
        for (let level = 0; this.width(level) > 0; level++)
            for (let n = 0; n * WIDTH < this.width(level); n++) {
                if (level === 0)
                    await this.checkEntries(n);
                else
                    await this.checkTile(level, n);
            }
    }

    async checkTile(level, n) {
        const tile = await this.tile(level, n);
        for (let i = 0; i < tile.length; i++) {
            const below = await this.tile(level - 1, n * WIDTH + i);
            need(equal(fold(below), tile[i]),
                `${tilePath(level, n, tile.length)}: hash ${i} differs`);
        }
    }

    async checkEntries(n) {
        const tile = await this.tile(0, n);
        const path = tilePath('entries', n, tile.length);
        const bytes = await this.read(path, ENTRIES_MAX);
        let at = 0;
        tile.forEach((hash, i) => {
            const size = bytes[at] << 8 | bytes[at + 1];
            const entry = bytes.subarray(at + 2, at + 2 + size);
            need(entry.length === size && equal(leafHash(entry), hash),
                `${path}: entry ${i} differs`);
            at += 2 + size;
        });
        need(at === bytes.length, `${path}: something stands behind it`);
    }
}

/** Check a published tree: `files` as window.mjs says. With `since`, the bytes
 * of an earlier checkpoint, what was promised then has to be in it. */
export async function checkTree(files, {vkey, since, crypto}) {
    await demandEd25519(crypto);
    const signatures = new Signatures(crypto);
    const key = readVkey(vkey);
    const bytes = await readWhole(files, 'checkpoint', NOTE_MAX);
    need(bytes !== null, 'checkpoint: no such file');
    const now = await openCheckpoint(bytes, key, signatures);
    const tree = new TileTree(files, now.size);
    await tree.check();
    need(equal(await tree.mth(0, now.size), now.root),
        'the tiles come to another root');
    if (since !== undefined) {
        const then = await openCheckpoint(since, key, signatures);
        need(then.size <= now.size, 'the tree has become smaller');
        checkConsistency(then, now, await tree.consistency(then.size));
    }
    return now;
}
