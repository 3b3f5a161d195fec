/** folder: `cur`, the header file and its watermarks, down to frames
 * (docs/format.md, section 5).
 *
 * Recovery is as that page says: the newest good slot is W; below it every
 * frame has to be good, above it the first that is not ends the log. What is
 * odd but takes nothing away is a note. */
import {
    Differs, Fields, equal, firstSet, hex, need, padded, utf8,
} from './bytes.mjs';
import {crc32c} from './crc32c.mjs';
import {H} from './hash.mjs';
import {Window, readWhole} from './window.mjs';

export const GENESIS = 1;
export const BATCH = 2;
export const SEGMENT_MAX = 1 << 30;
const SLOT_SIZE = 128;
const SLOT_STEP = 0x1000;
const FRAMES_START = 0x2000;
const FRAME_SIZE = 96;
const PART_MAX = 64 << 20; // of a payload, of an inline section

/** Bytes of a later format, which is no damage to be passed over. */
class Later extends Differs {}

function magic(bytes, word, what) {
    need(equal(bytes.subarray(0, word.length), utf8(word)), what);
}

/** The 64 bytes of `cur`. */
function readCur(bytes) {
    need(bytes !== null, 'cur: no such file');
    need(bytes.length === 64, 'cur: not 64 bytes long');
    magic(bytes, 'ATECUR\0\x01', 'cur: does not begin as it should');
    const f = new Fields(bytes);
    need(f.u32(60) === crc32c(bytes.subarray(0, 60)), 'cur: checksum differs');
    need(f.isZero(48, 60) && f.u64(8) > 0, 'cur: it makes no sense');
    return {
        generation: f.view.getBigUint64(8, true),
        idStart: f.hex(16, 16),
        firstHash: f.hex(32, 16),
    };
}

/** A watermark. */
function readSlot(bytes, cur) {
    need(bytes.length === SLOT_SIZE, 'it is cut short');
    magic(bytes, 'ATELOG\0', 'no watermark');
    const f = new Fields(bytes);
    need(f.u32(124) === crc32c(bytes.subarray(0, 124)), 'checksum differs');
    if (bytes[7] !== 1)
        throw new Later(`it has format ${bytes[7]}, which is not known here`);
    const slot = {
        chain: f.hex(8, 32),
        counter: f.view.getBigUint64(48, true),
        offset: f.u64(56),
        frames: f.u64(64),
        transactions: f.u64(72),
        segment: f.u32(80),
        bodyOffset: f.u64(88),
        chainHash: f.hex(96, 16),
    };
    need(f.view.getBigUint64(40, true) === cur.generation,
        'of another generation');
    need(slot.chain.startsWith(cur.idStart), 'of another chain');
    need(f.isZero(84, 88) && f.isZero(112, 124) && slot.frames > 0 &&
        slot.segment > 0 && slot.offset >= FRAMES_START + FRAME_SIZE &&
        slot.offset % 8 === 0 && slot.bodyOffset % 8 === 0 &&
        slot.bodyOffset <= SEGMENT_MAX, 'it makes no sense');
    return slot;
}

/** The first 96 bytes of a frame, without its parts. */
function readFrame(bytes, offset) {
    need(bytes.length === FRAME_SIZE, 'the file ends here');
    magic(bytes, 'ATEF', 'no frame begins here');
    const f = new Fields(bytes);
    need(f.u32(92) === crc32c(bytes.subarray(0, 92)),
        'the checksum of its header differs');
    const frame = {
        offset,
        type: f.u16(4),
        sequence: f.u64(8),
        index: f.u64(16),
        count: f.u32(24),
        size: f.u32(28),
        inlineSize: f.u32(32),
        segment: f.u32(36),
        bodyOffset: f.u64(40),
        bodySize: f.u64(48),
        before: f.hex(56, 16),
        crcs: [f.u32(80), f.u32(84)],
        bodyCrc: f.u32(88),
    };
    need(frame.type === GENESIS || frame.type === BATCH,
        `its type ${frame.type} is unknown`);
    need(f.u16(6) === 0 && f.isZero(72, 80), 'its flags are unknown');
    need(frame.size <= PART_MAX && frame.inlineSize <= PART_MAX,
        'its lengths are over their bounds');
    if (frame.bodySize === 0) {
        need(frame.segment === 0 && frame.bodyOffset === 0 &&
            frame.bodyCrc === 0, 'a place for bodies that are not there');
    } else {
        need(frame.segment > 0 && frame.bodySize % 8 === 0 &&
            frame.bodyOffset % 8 === 0 &&
            frame.bodyOffset + frame.bodySize <= SEGMENT_MAX,
        'its bodies lie outside a body file');
    }
    frame.end = offset + FRAME_SIZE + padded(frame.size) +
        padded(frame.inlineSize);
    return frame;
}

/** Payload or inline section, out of all bytes of a frame. */
function part(bytes, at, size, crc, what) {
    const found = bytes.slice(at, at + size);
    need(crc32c(found) === crc, `the checksum of its ${what} differs`);
    need(firstSet(bytes.subarray(at + size, at + padded(size))) < 0,
        `bytes behind its ${what}`);
    return found;
}

function chainHash(frame, before) {
    return H('frame', before, frame.type, frame.sequence, frame.index,
        frame.count, frame.payload).slice(0, 16);
}

/** Frames, one after the other. What note() is told of is odd, no more. */
export class Folder {
    constructor(files, note) {
        this.files = files;
        this.note = note;
        this.stain = null;
    }

    async open() {
        this.cur = readCur(await readWhole(this.files, 'cur', 64));
        this.headName = `${this.cur.generation}.head`;
        this.window = new Window(this.files, this.headName);
        this.slots = await this.readSlots();
        this.mark = this.slots.reduce((newest, slot) =>
            newest === null || slot.counter > newest.counter ? slot : newest,
        null);
        need(this.mark !== null,
            `${this.headName}: neither of its watermarks is good`);
        this.end = {
            offset: FRAMES_START, frames: 0, transactions: 0, segment: 1,
            bodyOffset: 0, chainHash: new Uint8Array(16),
        };
    }

    async readSlots() {
        const slots = [];
        for (const place of [0, 1]) {
            const at = place * SLOT_STEP;
            const bytes = await this.window.at(at, SLOT_STEP);
            const slot = bytes.slice(0, SLOT_SIZE);
            const set = firstSet(bytes.subarray(SLOT_SIZE));
            if (set >= 0 && this.stain === null) {
                this.stain = `${this.headName}: the byte at offset ` +
                    `${at + SLOT_SIZE + set} is not zero, and nothing is ` +
                    'ever written there';
            }
            if (firstSet(slot) < 0)
                continue;
            try {
                slots.push(readSlot(slot, this.cur));
            } catch (error) {
                if (!(error instanceof Differs) || error instanceof Later)
                    throw error;
                this.note(`${this.headName}: the slot at offset ${at} is ` +
                    `damaged: ${error.message}`);
            }
        }
        return slots;
    }

    /** Where a frame stands, for texts. */
    place(offset = this.end.offset, index = this.end.transactions) {
        return `${this.headName}: transaction ${index}, offset ${offset}`;
    }

    isBelowMark() {
        return this.end.offset < this.mark.offset;
    }

    /** The next frame with payload and inline section, or null at the end. */
    async next() {
        if (this.end.offset === this.mark.offset)
            this.checkMark(this.mark);
        try {
            return await this.readNext();
        } catch (error) {
            if (!(error instanceof Differs))
                throw error;
            await this.stop(error.message);
            return null;
        }
    }

    async readNext() {
        const at = this.end.offset;
        const frame = readFrame((await this.window.at(at, FRAME_SIZE)).slice(),
            at);
        need(!this.isBelowMark() || frame.end <= this.mark.offset,
            'it reaches across the watermark');
        const bytes = await this.window.at(at, frame.end - at);
        need(bytes.length === frame.end - at, 'the file ends inside of it');
        frame.payload = part(bytes, FRAME_SIZE, frame.size, frame.crcs[0],
            'payload');
        frame.inline = part(bytes, FRAME_SIZE + padded(frame.size),
            frame.inlineSize, frame.crcs[1], 'inline section');
        this.checkFollows(frame);
        return frame;
    }

    checkFollows(frame) {
        const {end} = this;
        need(frame.sequence === end.frames && frame.index === end.transactions,
            `it is frame ${frame.sequence}, from transaction ${frame.index}`);
        need(frame.before === hex(end.chainHash), 'it follows another frame');
        frame.chainHash = chainHash(frame, end.chainHash);
        const isFirst = frame.sequence === 0;
        need((frame.type === GENESIS) === isFirst &&
            (!isFirst || hex(frame.chainHash) === this.cur.firstHash),
        'not the first frame that cur names');
        need(frame.bodySize === 0 ||
            frame.segment === end.segment &&
                frame.bodyOffset === end.bodyOffset ||
            frame.segment === end.segment + 1 && frame.bodyOffset === 0,
        'its bodies do not follow those before');
    }

    /** The frame is good, and so are its bodies. */
    passed(frame) {
        const {end} = this;
        end.offset = frame.end;
        end.frames++;
        end.transactions += frame.count;
        end.chainHash = frame.chainHash;
        if (frame.bodySize > 0) {
            end.segment = frame.segment;
            end.bodyOffset = frame.bodyOffset + frame.bodySize;
        }
        for (const slot of this.slots)
            if (slot !== this.mark && slot.offset === end.offset)
                slot.isFound = this.isAgreed(slot);
    }

    isAgreed(mark) {
        const {end} = this;
        return mark.frames === end.frames &&
            mark.transactions === end.transactions &&
            mark.segment === end.segment &&
            mark.bodyOffset === end.bodyOffset &&
            mark.chainHash === hex(end.chainHash);
    }

    checkMark(mark) {
        need(this.isAgreed(mark), `${this.place()}: the watermark disagrees ` +
            'with the frames before it');
    }

    /** No good frame stands at the end: `why`. */
    async stop(why) {
        need(!this.isBelowMark(), `${this.place()}: ${why}`);
        need(this.stain === null, this.stain);
        const set = await this.window.firstSet(this.end.offset);
        if (set >= 0)
            this.note(`${this.headName}: offset ${set}: behind the last ` +
                'frame: a write that was cut short');
        for (const slot of this.slots)
            if (slot !== this.mark && slot.isFound !== true)
                this.note(`${this.headName}: the older watermark disagrees ` +
                    'with the frames before it');
    }
}
