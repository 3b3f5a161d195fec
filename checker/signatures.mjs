/** signatures: Ed25519 by libsodium's strict rules, with Web Crypto for the
 * arithmetic.
 *
 * Web Crypto answers later, so checks are collected: add() looks at once at
 * what takes no arithmetic, settle() waits for the rest. Whoever reads an
 * answer from the log before settle() has not verified it. */
import {Differs, need, unhex} from './bytes.mjs';

const PENDING_MAX = 512; // checks under way
const KEYS_MAX = 1024;   // that stay imported

/** y of the points whose order divides 8, little-endian, and p and p + 1, which
 * are 0 and 1 once more. */
const SMALL = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map(unhex);

const P = (1n << 255n) - 19n;
const ORDER = (1n << 252n) + 27742317777372353535851937790883648493n;

function littleEndian(bytes) {
    let out = 0n;
    for (let i = bytes.length - 1; i >= 0; i--)
        out = out << 8n | BigInt(bytes[i]);
    return out;
}

/** Is it one of SMALL, whatever the sign of x? */
function isSmall(point) {
    return SMALL.some((y) => {
        for (let i = 0; i < 31; i++)
            if (point[i] !== y[i])
                return false;
        return (point[31] & 0x7f) === y[31];
    });
}

/** May the key check anything: canonical, and not of small order. */
function isGoodKey(key) {
    const y = key.slice();
    y[31] &= 0x7f;
    return littleEndian(y) < P && !isSmall(key);
}

/** What needs no arithmetic on the curve. */
function mayBeGood(signature) {
    return !isSmall(signature.subarray(0, 32)) &&
        littleEndian(signature.subarray(32)) < ORDER;
}

export class Signatures {
    /** `crypto` is Web Crypto's; in Node.js, `webcrypto` of `node:crypto`. */
    constructor(crypto) {
        this.subtle = crypto.subtle;
        this.keys = new Map(); // key in hex -> promise of an imported key
        this.pending = [];     // {good: promise, text}, in order
        this.count = 0;        // all that were added
    }

    /** Check later; `text` is what settle() says when it is not good. */
    add(key, message, signature, text) {
        need(key.length === 32 && signature.length === 64 &&
            mayBeGood(signature), text);
        this.count++;
        const good = this.verify(key, message, signature.slice());
        this.pending.push({good, text});
    }

    isFull() {
        return this.pending.length >= PENDING_MAX;
    }

    /** Wait for all; the first that is not good is raised. */
    async settle() {
        const pending = this.pending;
        this.pending = [];
        const good = await Promise.all(pending.map((check) => check.good));
        const bad = good.indexOf(false);
        if (bad >= 0)
            throw new Differs(pending[bad].text);
    }

    imported(key) {
        const name = key.join();
        if (!this.keys.has(name)) {
            if (this.keys.size >= KEYS_MAX)
                this.keys.clear();
            this.keys.set(name, isGoodKey(key) ? this.subtle.importKey('raw',
                key.slice(), {name: 'Ed25519'}, false, ['verify'])
                .catch(() => null) : Promise.resolve(null));
        }
        return this.keys.get(name);
    }

    async verify(key, message, signature) {
        const imported = await this.imported(key);
        return imported !== null && this.subtle.verify({name: 'Ed25519'},
            imported, signature, message);
    }
}

/** Fail early, and in words, where Web Crypto has no Ed25519. */
export async function demandEd25519(crypto) {
    const key = unhex('d75a980182b10ab7d54bfed3c964073a' +
        '0ee172f3daa62325af021a68f707511a'); // RFC 8032, 7.1, test 1
    try {
        await crypto.subtle.importKey('raw', key, {name: 'Ed25519'}, false,
            ['verify']);
    } catch {
        throw new Error('this runtime\'s Web Crypto has no Ed25519: Node.js ' +
            'has it from 18.4 on, browsers since 2025');
    }
}
