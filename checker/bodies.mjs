/** bodies: those of one frame, in the order of its events (docs/format.md,
 * section 4). The body file is read piece by piece. */
import {Differs, equal, firstSet, need, padded} from './bytes.mjs';
import {crc32c} from './crc32c.mjs';
import {Tree, leafHash} from './hash.mjs';

const PIECE = 65536;
const INLINE_MAX = 1024;

export class Bodies {
    /** `window` is of the body file; null when the frame has none there. */
    constructor(frame, window) {
        this.frame = frame;
        this.window = window;
        this.inlineAt = 0;
        this.at = 0;  // in the frame's region of the body file
        this.crc = 0; // of what was read of it
    }

    /** The next body, whose hash has to be `hash`; its bytes when it stands in
     * the inline section, as that of a bundle does whatever its size. */
    async take(length, hash, what, isBundle = false) {
        if (!isBundle && length > INLINE_MAX) {
            await this.takeStored(length, hash, what);
            return null;
        }
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
        const tree = new Tree();
        const leaves = [];
        for (let left = length; left > 0; left -= PIECE) {
            const leaf = leafHash(await this.stored(Math.min(left, PIECE),
                what));
            tree.appendHash(leaf);
            leaves.push(leaf);
        }
        await this.pad(length, what);
        need(equal(tree.root(), hash), `body of ${what}: its hash differs`);
        if (leaves.length === 1)
            return;
        for (const leaf of leaves)
            need(equal(await this.stored(32, what), leaf),
                `body of ${what}: the hashes behind it differ`);
        await this.pad(32 * leaves.length, what);
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
