/** bodies: those of one frame, in the order of its events, and large ones, in
 * files of their own (docs/format.md, section 4). Files are read piece by
 * piece. */
import {Differs, equal, firstSet, hex, need, padded} from './bytes.mjs';
import {crc32c} from './crc32c.mjs';
import {Tree, leafHash} from './hash.mjs';
import {Window} from './window.mjs';

const PIECE = 65536;
const INLINE_MAX = 1024;

export class Bodies {
    /** `window` is of the body file; null when the frame has none there.
     * `large` is for the others. */
    constructor(frame, window, large) {
        this.frame = frame;
        this.window = window;
        this.large = large;
        this.inlineAt = 0;
        this.at = 0;  // in the frame's region of the body file
        this.crc = 0; // of what was read of it
    }

    /** The next body, whose hash has to be `hash`; its bytes, or null of a large
     * one. That of a bundle stands in the inline section whatever its size. */
    async take(length, hash, what, isBundle = false) {
        if (isBundle || length <= INLINE_MAX)
            return this.takeInline(length, hash, what);
        if (length <= PIECE)
            return this.takeStored(length, hash, what);
        await this.large.check(length, hash, what);
        return null;
    }

    takeInline(length, hash, what) {
        const body = this.frame.inline.subarray(this.inlineAt,
            this.inlineAt + length);
        this.inlineAt += length;
        need(body.length === length, `body of ${what}: not all of it is there`);
        const tree = new Tree();
        for (let at = 0; at < length; at += PIECE)
            tree.append(body.subarray(at, at + PIECE));
        need(equal(tree.root(), hash), `body of ${what}: its hash differs`);
        return body;
    }

    async takeStored(length, hash, what) {
        const body = (await this.stored(length, what)).slice();
        need(equal(leafHash(body), hash), `body of ${what}: its hash differs`);
        await this.pad(length, what);
        return body;
    }

    async pad(length, what) {
        const zeros = await this.stored(padded(length) - length, what);
        need(firstSet(zeros) < 0, `body of ${what}: bytes behind it`);
    }

    /** The next bytes of the region. */
    async stored(length, what) {
        need(this.at + length <= this.frame.bodySize,
            `body of ${what}: it lies outside its frame`);
        const bytes = await this.window.at(this.frame.bodyOffset + this.at,
            length);
        need(bytes.length === length, `body of ${what}: ` +
            `${this.window.path} ends early`);
        this.crc = crc32c(bytes, this.crc);
        this.at += length;
        return bytes;
    }

    /** All were taken. */
    done() {
        need(this.inlineAt === this.frame.inline.length &&
            this.at === this.frame.bodySize,
        'its bodies fill more or less than it says');
        need(this.crc === this.frame.bodyCrc,
            'the checksum of its bodies differs');
    }
}

/** Large bodies: `large/<hash>`, or where it was put. */
export class Large {
    constructor(files) {
        this.files = files;
        this.good = new Set(); // hashes of those that were checked
    }

    /** Several events may have one body. */
    async check(length, hash, what) {
        const name = hex(hash);
        if (this.good.has(name))
            return;
        await this.checkFile(await this.find(name, length, what), length,
            hash);
        this.good.add(name);
    }

    async find(name, length, what) {
        for (const path of [`large/${name}`, `put/${name}.${length}`])
            if (await this.files.read(path, 0, 1) !== null)
                return path;
        throw new Differs(`body of ${what}: there is no file large/${name}`);
    }

    /** Its pieces, zeros up to a multiple of 8, their hashes, no more. */
    async checkFile(path, length, hash) {
        const pieces = new Window(this.files, path);
        const hashes = new Window(this.files, path);
        const tree = new Tree();
        let behind = padded(length);
        for (let at = 0; at < length; at += PIECE, behind += 32) {
            const leaf = leafHash(await pieces.at(at,
                Math.min(PIECE, length - at)));
            need(equal(await hashes.at(behind, 32), leaf),
                `${path}: the piece at offset ${at} is not what its hash says`);
            tree.appendHash(leaf);
        }
        need(equal(tree.root(), hash), `${path}: it does not come to its hash`);
        const padding = await pieces.at(length, padded(length) - length);
        const more = await hashes.at(behind, 1);
        need(firstSet(padding) < 0 && more.length === 0,
            `${path}: bytes behind the body, or behind its hashes`);
    }
}

/** Did all of a frame's region arrive? For what stands above the watermark. */
export async function bodiesArrived(frame, window) {
    let crc = 0;
    try {
        for (let at = 0; at < frame.bodySize; at += PIECE) {
            const size = Math.min(PIECE, frame.bodySize - at);
            const bytes = await window.at(frame.bodyOffset + at, size);
            if (bytes.length < size)
                return false;
            crc = crc32c(bytes, crc);
        }
    } catch (error) {
        if (error instanceof Differs)
            return false;
        throw error;
    }
    return crc === frame.bodyCrc;
}
