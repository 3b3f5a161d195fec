/** bytes: what everything else says about bytes and texts. */

/** Something is not as docs/format.md says. */
export class Differs extends Error {}

/** Demand what has to hold; the text is said of it otherwise. */
export function need(condition, text) {
    if (!condition)
        throw new Differs(text);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

/** The UTF-8 of a text. */
export function utf8(text) {
    return encoder.encode(text);
}

/** The text that UTF-8 makes, strictly. */
export function text(bytes, what) {
    try {
        return decoder.decode(bytes);
    } catch {
        throw new Differs(`${what}: not UTF-8`);
    }
}

const HEX = Array.from({length: 256},
    (_, byte) => byte.toString(16).padStart(2, '0'));

export function hex(bytes) {
    let out = '';
    for (let i = 0; i < bytes.length; i++)
        out += HEX[bytes[i]];
    return out;
}

/** The bytes of an even number of lower-case hex digits. */
export function unhex(digits) {
    const out = new Uint8Array(digits.length / 2);
    for (let i = 0; i < out.length; i++)
        out[i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16);
    return out;
}

/** Canonical base64: with its padding, and no bits left over. */
export function unbase64(digits, what) {
    need(digits.length % 4 === 0 &&
        /^[A-Za-z0-9+/]*={0,2}$/.test(digits), `${what}: not base64`);
    const raw = atob(digits);
    need(btoa(raw) === digits, `${what}: not canonical base64`);
    return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

export function base64(bytes) {
    let raw = '';
    for (let i = 0; i < bytes.length; i++)
        raw += String.fromCharCode(bytes[i]);
    return btoa(raw);
}

/** Negative, 0 or positive: which comes first, byte by byte. */
export function compare(a, b) {
    const shared = Math.min(a.length, b.length);
    for (let i = 0; i < shared; i++)
        if (a[i] !== b[i])
            return a[i] - b[i];
    return a.length - b.length;
}

export function equal(a, b) {
    return a.length === b.length && compare(a, b) === 0;
}

/** Compare texts by their UTF-8. */
export function compareTexts(a, b) {
    return a === b ? 0 : compare(utf8(a), utf8(b));
}

/** Are they in order, none twice? */
export function isSorted(parts) {
    return parts.every((item, i) => i === 0 || compare(parts[i - 1], item) < 0);
}

/** Where the first byte that is not zero stands, or -1. */
export function firstSet(bytes) {
    for (let i = 0; i < bytes.length; i++)
        if (bytes[i] !== 0)
            return i;
    return -1;
}

export function concat(...parts) {
    let size = 0;
    for (const part of parts)
        size += part.length;
    const out = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
        out.set(part, at);
        at += part.length;
    }
    return out;
}

/** u64 big-endian of an integer, as H hashes them. */
export function u64(value) {
    const out = new Uint8Array(8);
    const view = new DataView(out.buffer);
    if (Number.isSafeInteger(value) && value >= 0) {
        view.setUint32(0, Math.floor(value / 0x100000000));
        view.setUint32(4, value);
        return out;
    }
    const wide = BigInt(value);
    need(wide >= 0n && wide < 1n << 64n, `${wide} is no u64`);
    view.setBigUint64(0, wide);
    return out;
}

/** Integers of a file, little-endian. */
export class Fields {
    constructor(bytes) {
        this.bytes = bytes;
        this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }

    u16(at) {
        return this.view.getUint16(at, true);
    }

    u32(at) {
        return this.view.getUint32(at, true);
    }

    /** A number; places beyond 2^53 are none that a file could have. */
    u64(at) {
        return Number(this.view.getBigUint64(at, true));
    }

    hex(at, size) {
        return hex(this.bytes.subarray(at, at + size));
    }

    isZero(at, end) {
        return firstSet(this.bytes.subarray(at, end)) < 0;
    }
}

/** Up to a multiple of 8. */
export function padded(size) {
    return size + (8 - size % 8) % 8;
}
