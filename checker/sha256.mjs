/** sha256: FIPS 180-4, as it stands there. Web Crypto has it, too, but only as
 * a promise: a hash of 64 bytes then takes a hundred times as long, and a chain
 * is made of hashes of 64 bytes (docs/decisions/0050). */

const K = new Int32Array(64);
const START = new Int32Array(8);

/** The first 32 bits of the fraction of a root of a prime: what the standard
 * makes its constants of. Integers, for floats would not do. */
function fraction(prime, power) {
    const scaled = BigInt(prime) << BigInt(32 * power);
    let low = 0n;
    let high = 1n << 48n;
    while (high - low > 1n) {
        const middle = low + high >> 1n;
        if (middle ** BigInt(power) <= scaled)
            low = middle;
        else
            high = middle;
    }
    return Number(low & 0xffffffffn) | 0;
}

for (let n = 2, count = 0; count < 64; n++) {
    let isPrime = true;
    for (let i = 2; i * i <= n; i++)
        isPrime &&= n % i !== 0;
    if (!isPrime)
        continue;
    if (count < 8)
        START[count] = fraction(n, 2);
    K[count++] = fraction(n, 3);
}

const W = new Int32Array(64);

/** One block of 64 bytes. */
function compress(state, p, at) {
    for (let i = 0; i < 16; i++, at += 4)
        W[i] = p[at] << 24 | p[at + 1] << 16 | p[at + 2] << 8 | p[at + 3];
    for (let i = 16; i < 64; i++) {
        const x = W[i - 15];
        const y = W[i - 2];
        W[i] = W[i - 16] + W[i - 7] +
            ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3) +
            ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10) | 0;
    }
    let a = state[0];
    let b = state[1];
    let c = state[2];
    let d = state[3];
    let e = state[4];
    let f = state[5];
    let g = state[6];
    let h = state[7];
    for (let i = 0; i < 64; i++) {
        const one = h + K[i] + W[i] + (e & f ^ ~e & g) +
            ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^
            (e >>> 25 | e << 7)) | 0;
        const two = (a & b ^ a & c ^ b & c) +
            ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^
            (a >>> 22 | a << 10)) | 0;
        h = g;
        g = f;
        f = e;
        e = d + one | 0;
        d = c;
        c = b;
        b = a;
        a = one + two | 0;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

function finish(state) {
    const out = new Uint8Array(32);
    for (let i = 0, at = 0; i < 8; i++) {
        const word = state[i];
        out[at++] = word >>> 24;
        out[at++] = word >>> 16;
        out[at++] = word >>> 8;
        out[at++] = word;
    }
    return out;
}

/** The bit count at the end of a block. */
function putBits(block, at, size) {
    const high = Math.floor(size / 0x20000000);
    const low = size * 8 >>> 0;
    for (let i = 0; i < 4; i++) {
        block[at + i] = high >>> 24 - 8 * i;
        block[at + 4 + i] = low >>> 24 - 8 * i;
    }
}

const scratch = new Int32Array(8);

/** The hash of the first `size` bytes of a buffer that has 72 more to be
 * written over: nothing is copied for short messages, of which there are many.
 */
export function sha256InPlace(bytes, size) {
    const end = size + 72 & ~63;
    bytes[size] = 0x80;
    bytes.fill(0, size + 1, end);
    putBits(bytes, end - 8, size);
    scratch.set(START);
    for (let at = 0; at < end; at += 64)
        compress(scratch, bytes, at);
    return finish(scratch);
}

/** A hash that is fed piece by piece. */
export class Sha256 {
    constructor() {
        this.state = START.slice();
        this.block = new Uint8Array(64);
        this.size = 0;
    }

    update(bytes) {
        let at = 0;
        const filled = this.size % 64;
        this.size += bytes.length;
        if (filled > 0) {
            at = Math.min(64 - filled, bytes.length);
            this.block.set(at < bytes.length ? bytes.subarray(0, at) : bytes,
                filled);
            if (filled + at < 64)
                return this;
            compress(this.state, this.block, 0);
        }
        for (; at + 64 <= bytes.length; at += 64)
            compress(this.state, bytes, at);
        if (at < bytes.length)
            this.block.set(bytes.subarray(at));
        return this;
    }

    /** The 32 bytes; nothing can be added then. */
    digest() {
        const {block, size} = this;
        let at = size % 64;
        block[at++] = 0x80;
        block.fill(0, at);
        if (at > 56) {
            compress(this.state, block, 0);
            block.fill(0);
        }
        putBits(block, 56, size);
        compress(this.state, block, 0);
        return finish(this.state);
    }
}

export function sha256(bytes) {
    return new Sha256().update(bytes).digest();
}
