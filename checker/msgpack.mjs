/** msgpack: the canonical subset of docs/format.md, section 1.
 *
 * Values are null, booleans, numbers (BigInt beyond 2^53), strings, Uint8Array,
 * arrays, and Map for maps. Bytes that were read are parts of what they were
 * read from: keep() what is to outlive it. */
import {
    Differs, compare, compareTexts, concat, need, text, utf8,
} from './bytes.mjs';

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

function sized(codes, size, value) {
    const out = new Uint8Array(1 + size);
    const view = new DataView(out.buffer);
    out[0] = codes;
    if (size === 1)
        view.setUint8(1, Number(value));
    else if (size === 2)
        view.setUint16(1, Number(value));
    else if (size === 4)
        view.setUint32(1, Number(value));
    else
        view.setBigUint64(1, BigInt.asUintN(64, BigInt(value)));
    return out;
}

/** The shortest head; codes are those of 8, 16 and 32 bits, or 0. */
function head(count, fix, fixMax, [short, middle, long]) {
    if (fix !== 0 && count <= fixMax)
        return Uint8Array.of(fix | count);
    if (short !== 0 && count <= 0xff)
        return sized(short, 1, count);
    return count <= 0xffff ? sized(middle, 2, count) : sized(long, 4, count);
}

function integer(value) {
    if (value >= -32 && value <= 127)
        return Uint8Array.of(Number(value) & 0xff);
    if (value >= 0) {
        return value <= 0xff ? sized(0xcc, 1, value)
            : value <= 0xffff ? sized(0xcd, 2, value)
                : value <= 0xffffffff ? sized(0xce, 4, value)
                    : sized(0xcf, 8, value);
    }
    return value >= -0x80 ? sized(0xd0, 1, Number(value) & 0xff)
        : value >= -0x8000 ? sized(0xd1, 2, Number(value) & 0xffff)
            : value >= -0x80000000 ? sized(0xd2, 4, Number(value) >>> 0)
                : sized(0xd3, 8, value);
}

/** The one canonical form of a value. */
export function encode(value) {
    if (value === null)
        return Uint8Array.of(0xc0);
    if (typeof value === 'boolean')
        return Uint8Array.of(value ? 0xc3 : 0xc2);
    if (typeof value === 'number' || typeof value === 'bigint')
        return integer(value);
    if (typeof value === 'string') {
        const raw = utf8(value);
        return concat(head(raw.length, 0xa0, 31, [0xd9, 0xda, 0xdb]), raw);
    }
    if (value instanceof Uint8Array)
        return concat(head(value.length, 0, 0, [0xc4, 0xc5, 0xc6]), value);
    if (Array.isArray(value)) {
        return concat(head(value.length, 0x90, 15, [0, 0xdc, 0xdd]),
            ...value.map(encode));
    }
    const items = [...value].sort((a, b) => compareTexts(a[0], b[0]));
    return concat(head(items.length, 0x80, 15, [0, 0xde, 0xdf]),
        ...items.flat().map(encode));
}

/** A copy that shares no bytes with what the value was read from. */
export function keep(value) {
    return decode(encode(value), 'copy');
}

/* ---- shapes ---- */

const INT_MIN = -(1n << 63n);
const INT_MAX = (1n << 63n) - 1n;

function fits(value, shape) {
    switch (shape) {
    case 'int':
        return typeof value === 'number' || typeof value === 'bigint' &&
            value >= INT_MIN && value <= INT_MAX;
    case 'count':
        return fits(value, 'int') && value >= 0;
    case 'str': return typeof value === 'string';
    case 'bin': return value instanceof Uint8Array;
    case 'list': return Array.isArray(value);
    case 'map': return value instanceof Map;
    default:
        return value instanceof Uint8Array && value.length === Number(shape);
    }
}

/** Is the value as a shape says? `int` (of int64), `count` (from 0), `str`,
 * `bin`, `list`, `map`, or the length of a bin, `32`; `32?` may be nil. */
export function needShape(value, shape, what) {
    const optional = shape.endsWith('?');
    need(optional && value === null ||
        fits(value, optional ? shape.slice(0, -1) : shape),
    `${what}: not as docs/format.md says (${shape})`);
    return value;
}

/** An array whose items have these shapes, written `16 str 32?`. */
export function array(value, shapes, what) {
    const wanted = shapes.split(' ');
    needShape(value, 'list', what);
    need(value.length === wanted.length,
        `${what}: ${value.length} items instead of ${wanted.length}`);
    wanted.forEach((shape, i) => needShape(value[i], shape, what));
    return value;
}

/** Every item of an array has this shape. */
export function each(value, shape, what) {
    needShape(value, 'list', what);
    for (const item of value)
        needShape(item, shape, what);
    return value;
}
