/** msgpack: the canonical subset of docs/format.md, section 1.
 *
 * Values are null, booleans, numbers (BigInt beyond 2^53), strings, Uint8Array,
 * arrays, and Map for maps. Bytes that were read are parts of what they were
 * read from: keep() what is to outlive it. */
import {Differs, compare, compareTexts, need, text, utf8} from './bytes.mjs';

const DEPTH_MAX = 16;

class Reader {
    constructor(bytes, what) {
        this.bytes = bytes;
        this.what = what;
        this.at = 0;
        this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }

    fail(why) {
        throw new Differs(`${this.what}: ${why}`);
    }

    /** Pass so many bytes; where they began. */
    pass(count) {
        if (count > this.bytes.length - this.at)
            this.fail('msgpack ends early');
        this.at += count;
        return this.at - count;
    }

    take(count) {
        const at = this.pass(count);
        return this.bytes.subarray(at, at + count);
    }

    /** An unsigned integer of 1, 2, 4 or 8 bytes, and the smallest that does
     * not fit fewer. */
    unsigned(size, least) {
        const at = this.pass(size);
        let value = size === 1 ? this.view.getUint8(at)
            : size === 2 ? this.view.getUint16(at)
                : size === 4 ? this.view.getUint32(at)
                    : this.view.getBigUint64(at);
        if (value < least)
            this.fail('a number or length is longer than needed');
        if (typeof value === 'bigint' && value <= Number.MAX_SAFE_INTEGER)
            value = Number(value);
        return value;
    }

    negative(size, most) {
        const at = this.pass(size);
        let value = size === 1 ? this.view.getInt8(at)
            : size === 2 ? this.view.getInt16(at)
                : size === 4 ? this.view.getInt32(at)
                    : this.view.getBigInt64(at);
        if (value >= most)
            this.fail('a number is longer than needed');
        if (typeof value === 'bigint' && value >= Number.MIN_SAFE_INTEGER)
            value = Number(value);
        return value;
    }

    text(count) {
        return text(this.take(count), this.what);
    }

    items(count, depth) {
        if (depth === DEPTH_MAX)
            this.fail(`nests deeper than ${DEPTH_MAX}`);
        if (count > this.bytes.length - this.at)
            this.fail('msgpack ends early');
        const out = [];
        for (let i = 0; i < count; i++)
            out.push(this.value(depth + 1));
        return out;
    }

    map(count, depth) {
        if (depth === DEPTH_MAX)
            this.fail(`nests deeper than ${DEPTH_MAX}`);
        const out = new Map();
        let before = null;
        for (let i = 0; i < count; i++) {
            const key = this.value(depth + 1);
            if (typeof key !== 'string')
                this.fail('a map key that is no text');
            const raw = utf8(key);
            if (before !== null && compare(before, raw) >= 0)
                this.fail('map keys are not sorted, or one is there twice');
            before = raw;
            out.set(key, this.value(depth + 1));
        }
        return out;
    }

    value(depth) {
        const code = this.bytes[this.pass(1)];
        if (code <= 0x7f)
            return code;
        if (code >= 0xe0)
            return code - 0x100;
        if (code <= 0x8f)
            return this.map(code & 15, depth);
        if (code <= 0x9f)
            return this.items(code & 15, depth);
        if (code <= 0xbf)
            return this.text(code & 31);
        switch (code) {
        case 0xc0: return null;
        case 0xc2: return false;
        case 0xc3: return true;
        case 0xc4: return this.take(this.unsigned(1, 0));
        case 0xc5: return this.take(this.unsigned(2, 0x100));
        case 0xc6: return this.take(this.unsigned(4, 0x10000));
        case 0xcc: return this.unsigned(1, 0x80);
        case 0xcd: return this.unsigned(2, 0x100);
        case 0xce: return this.unsigned(4, 0x10000);
        case 0xcf: return this.unsigned(8, 0x100000000);
        case 0xd0: return this.negative(1, -0x20);
        case 0xd1: return this.negative(2, -0x80);
        case 0xd2: return this.negative(4, -0x8000);
        case 0xd3: return this.negative(8, -0x80000000);
        case 0xd9: return this.text(this.unsigned(1, 32));
        case 0xda: return this.text(this.unsigned(2, 0x100));
        case 0xdb: return this.text(this.unsigned(4, 0x10000));
        case 0xdc: return this.items(this.unsigned(2, 16), depth);
        case 0xdd: return this.items(this.unsigned(4, 0x10000), depth);
        case 0xde: return this.map(this.unsigned(2, 16), depth);
        case 0xdf: return this.map(this.unsigned(4, 0x10000), depth);
        default:
            return this.fail(`msgpack code 0x${code.toString(16)} is not of ` +
                'the canonical subset');
        }
    }
}

/** One canonical value and nothing behind it. */
export function decode(bytes, what) {
    const reader = new Reader(bytes, what);
    const value = reader.value(0);
    if (reader.at !== bytes.length)
        reader.fail('something stands behind it');
    return value;
}

/** Bytes that grow. */
class Writer {
    constructor() {
        this.bytes = new Uint8Array(256);
        this.view = new DataView(this.bytes.buffer);
        this.size = 0;
    }

    /** Room for so many more; where they begin. */
    room(count) {
        const at = this.size;
        this.size += count;
        if (this.size > this.bytes.length) {
            const bytes = new Uint8Array(2 * this.size);
            bytes.set(this.bytes);
            this.bytes = bytes;
            this.view = new DataView(bytes.buffer);
        }
        return at;
    }

    byte(value) {
        this.bytes[this.room(1)] = value;
    }

    /** A code and an integer of 1, 2, 4 or 8 bytes. */
    sized(code, size, value) {
        this.byte(code);
        const at = this.room(size);
        if (size === 1)
            this.view.setUint8(at, Number(value));
        else if (size === 2)
            this.view.setUint16(at, Number(value));
        else if (size === 4)
            this.view.setUint32(at, Number(value));
        else
            this.view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)));
    }

    raw(bytes) {
        const at = this.room(bytes.length);
        this.bytes.set(bytes, at);
    }

    /** The shortest head; codes are those of 8, 16 and 32 bits, or 0. */
    head(count, fix, fixMax, [short, middle, long]) {
        if (fix !== 0 && count <= fixMax)
            this.byte(fix | count);
        else if (short !== 0 && count <= 0xff)
            this.sized(short, 1, count);
        else if (count <= 0xffff)
            this.sized(middle, 2, count);
        else
            this.sized(long, 4, count);
    }

    integer(value) {
        if (value >= -32 && value <= 127)
            this.byte(Number(value) & 0xff);
        else if (value >= 0 && value <= 0xff)
            this.sized(0xcc, 1, value);
        else if (value >= 0 && value <= 0xffff)
            this.sized(0xcd, 2, value);
        else if (value >= 0 && value <= 0xffffffff)
            this.sized(0xce, 4, value);
        else if (value >= 0)
            this.sized(0xcf, 8, value);
        else if (value >= -0x80)
            this.sized(0xd0, 1, value);
        else if (value >= -0x8000)
            this.sized(0xd1, 2, value);
        else if (value >= -0x80000000)
            this.sized(0xd2, 4, value);
        else
            this.sized(0xd3, 8, value);
    }

    text(value) {
        const raw = utf8(value);
        this.head(raw.length, 0xa0, 31, [0xd9, 0xda, 0xdb]);
        this.raw(raw);
    }

    bin(value) {
        this.head(value.length, 0, 0, [0xc4, 0xc5, 0xc6]);
        this.raw(value);
    }

    list(value) {
        this.head(value.length, 0x90, 15, [0, 0xdc, 0xdd]);
        for (const item of value)
            this.value(item);
    }

    map(value) {
        const items = [...value].sort((a, b) => compareTexts(a[0], b[0]));
        this.head(items.length, 0x80, 15, [0, 0xde, 0xdf]);
        for (const [name, item] of items) {
            this.text(name);
            this.value(item);
        }
    }

    value(value) {
        if (value === null)
            this.byte(0xc0);
        else if (typeof value === 'boolean')
            this.byte(value ? 0xc3 : 0xc2);
        else if (typeof value === 'number' || typeof value === 'bigint')
            this.integer(value);
        else if (typeof value === 'string')
            this.text(value);
        else if (value instanceof Uint8Array)
            this.bin(value);
        else if (Array.isArray(value))
            this.list(value);
        else
            this.map(value);
    }
}

const writer = new Writer();

/** The one canonical form of a value. */
export function encode(value) {
    writer.size = 0;
    writer.value(value);
    return writer.bytes.slice(0, writer.size);
}

/** A copy that shares no bytes with what the value was read from. */
export function keep(value) {
    return decode(encode(value), 'copy');
}

/* ---- shapes ---- */

const INT_MIN = -(1n << 63n);
const INT_MAX = (1n << 63n) - 1n;

function isInt(value) {
    return typeof value === 'number' ||
        typeof value === 'bigint' && value >= INT_MIN && value <= INT_MAX;
}

const TESTS = {
    int: isInt,
    count: (value) => isInt(value) && value >= 0,
    str: (value) => typeof value === 'string',
    bin: (value) => value instanceof Uint8Array,
    list: (value) => Array.isArray(value),
    map: (value) => value instanceof Map,
};

const shapes = new Map(); // as written -> tests

/** A function for each word of a shape. */
function testsOf(shape) {
    if (!shapes.has(shape))
        shapes.set(shape, shape.split(' ').map((word) => {
            const kind = word.replace('?', '');
            const test = TESTS[kind] ?? ((value) =>
                value instanceof Uint8Array && value.length === Number(kind));
            return kind === word ? test
                : (value) => value === null || test(value);
        }));
    return shapes.get(shape);
}

/** Is the value as a shape says? `int` (of int64), `count` (from 0), `str`,
 * `bin`, `list`, `map`, or the length of a bin, `32`; `32?` may be nil. */
export function needShape(value, shape, what) {
    need(testsOf(shape)[0](value), `${what}: not as docs/format.md says`);
    return value;
}

/** An array whose items have these shapes, written `16 str 32?`. */
export function array(value, shape, what) {
    const tests = testsOf(shape);
    needShape(value, 'list', what);
    if (value.length !== tests.length)
        throw new Differs(`${what}: ${value.length} items instead of ` +
            tests.length);
    for (let i = 0; i < tests.length; i++)
        if (!tests[i](value[i]))
            throw new Differs(`${what}: item ${i} is not as docs/format.md ` +
                'says');
    return value;
}

/** Every item of an array has this shape. */
export function each(value, shape, what) {
    needShape(value, 'list', what);
    for (const item of value)
        needShape(item, shape, what);
    return value;
}
