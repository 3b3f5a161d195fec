/** window: a file read forward, in pieces that are bounded.
 *
 * Files come through one function, `read(path, offset, length)`: a promise of
 * the bytes there, fewer only at the file's end, or null where no such file is;
 * it throws Differs where something else has the file's name. Nothing else is
 * asked of where they are: a folder, a server, somebody's disk.
 */
import {Differs, firstSet} from './bytes.mjs';

const PIECE = 1 << 18;
const REST_MAX = 1 << 27; // a frame cut short, and more

export class Window {
    constructor(files, path) {
        this.files = files;
        this.path = path;
        this.start = 0; // of `bytes` in the file
        this.bytes = new Uint8Array(0);
    }

    /** The bytes from `offset` on, until the next call; fewer than `length`
     * only where the file ends. */
    async at(offset, length) {
        const end = this.start + this.bytes.length;
        if (offset < this.start || offset + length > end) {
            const kept = offset >= this.start && offset < end
                ? this.bytes.subarray(offset - this.start) : new Uint8Array(0);
            const more = await this.read(offset + kept.length,
                Math.max(length - kept.length, PIECE));
            const bytes = new Uint8Array(kept.length + more.length);
            bytes.set(kept);
            bytes.set(more, kept.length);
            this.start = offset;
            this.bytes = bytes;
        }
        const from = offset - this.start;
        return this.bytes.subarray(from, from + length);
    }

    async read(offset, length) {
        const bytes = await this.files.read(this.path, offset, length);
        if (bytes === null)
            throw new Differs(`${this.path}: no such file`);
        return bytes;
    }

    /** Where the first byte from `offset` on stands that is not zero, or -1.
     * Nobody looks further than a write may have come: zeros cost nothing to
     * who makes a file of them. */
    async firstSet(offset) {
        for (let at = offset; at < offset + REST_MAX; at += PIECE) {
            const bytes = await this.at(at, PIECE);
            const found = firstSet(bytes);
            if (found >= 0)
                return at + found;
            if (bytes.length < PIECE)
                break;
        }
        return -1;
    }
}

/** A whole small file, or null: not there. */
export async function readWhole(files, path, most) {
    const bytes = await files.read(path, 0, most + 1);
    if (bytes !== null && bytes.length > most)
        throw new Differs(`${path}: over ${most} bytes`);
    return bytes;
}
