#!/usr/bin/env -S node --no-warnings
/** vectors: what checker/ has of its own of hashes, checksums, msgpack, keys of
 * types and Ed25519's strict rules, against published vectors, Node.js's own,
 * and values by chance. Prints how many were tried; exit code 8 where one differs. */
import {createHash, webcrypto} from 'node:crypto';

import {
    Differs, base64, equal, hex, unbase64, unhex, utf8,
} from '../../checker/bytes.mjs';
import {crc32c} from '../../checker/crc32c.mjs';
import {H, Tree, leafHash, nodeHash} from '../../checker/hash.mjs';
import {decode, encode} from '../../checker/msgpack.mjs';
import {Objects} from '../../checker/objects.mjs';
import {Sha256, sha256} from '../../checker/sha256.mjs';
import {Signatures} from '../../checker/signatures.mjs';
import {Rng} from './rng.mjs';

let tried = 0;
let wrong = 0;

function claim(condition, what) {
    tried++;
    if (condition)
        return;
    wrong++;
    console.error(`vectors: ${what}`);
}

function refuses(bytes, what) {
    try {
        decode(bytes, 'it');
        claim(false, `takes ${what}: ${hex(bytes)}`);
    } catch (error) {
        claim(error instanceof Differs, `${what}: ${error}`);
    }
}

/* ---- hashes and checksums ---- */

function nodeSha(bytes) {
    return new Uint8Array(createHash('sha256').update(bytes).digest());
}

function hashes(rng) {
    claim(hex(sha256(utf8('abc'))) === 'ba7816bf8f01cfea414140de5dae2223' +
        'b00361a396177a9cb410ff61f20015ad', 'SHA-256 of FIPS 180-4');
    claim(crc32c(utf8('123456789')) === 0xe3069283, 'CRC-32C of RFC 3720');
    claim(crc32c(utf8('789'), crc32c(utf8('123456'))) === 0xe3069283,
        'CRC-32C in two parts');
    const bytes = new Uint8Array(70000).map(() => rng.below(256));
    for (let size = 0; size < 300; size++) {
        const part = bytes.subarray(size, 2 * size);
        claim(equal(sha256(part), nodeSha(part)), `SHA-256 of ${size} bytes`);
        const cut = rng.below(size + 1);
        claim(equal(new Sha256().update(part.subarray(0, cut))
            .update(part.subarray(cut)).digest(), nodeSha(part)),
        `SHA-256 of ${cut} and ${size - cut} bytes`);
    }
    claim(equal(sha256(bytes), nodeSha(bytes)), 'SHA-256 of 70000 bytes');
    for (const size of [0, 1, 31, 32, 63, 64, 4000, 4090, 4096, 70000]) {
        const part = bytes.subarray(0, size);
        const length = new Uint8Array(4);
        new DataView(length.buffer).setUint32(0, size);
        claim(equal(H('x', part), nodeSha(Buffer.concat([
            Uint8Array.of(1, 0x78), length, part]))), `H of ${size} bytes`);
        claim(equal(leafHash(part), nodeSha(Buffer.concat([Uint8Array.of(0),
            part]))), `leaf of ${size} bytes`);
    }
    const leaves = [1, 2, 3].map((byte) => Uint8Array.of(byte));
    const [a, b, c] = leaves.map(leafHash);
    claim(equal(new Tree(leaves).root(), nodeHash(nodeHash(a, b), c)),
        'a tree of three');
    claim(hex(new Tree().root()) === 'e3b0c44298fc1c149afbf4c8996fb924' +
        '27ae41e4649b934ca495991b7852b855', 'a tree of none');
    const text = base64(bytes);
    claim(equal(unbase64(text, 'it'), bytes), 'base64');
}

/* ---- msgpack ---- */

const VALUES = [
    [null, 'c0'], [false, 'c2'], [true, 'c3'], [0, '00'], [127, '7f'],
    [128, 'cc80'], [255, 'ccff'], [256, 'cd0100'], [65535, 'cdffff'],
    [65536, 'ce00010000'], [0xffffffff, 'ceffffffff'],
    [0x100000000, 'cf0000000100000000'],
    [2n ** 64n - 1n, 'cfffffffffffffffff'], [-1, 'ff'], [-32, 'e0'],
    [-33, 'd0df'], [-128, 'd080'], [-129, 'd1ff7f'], [-32768, 'd18000'],
    [-32769, 'd2ffff7fff'], [-2147483648, 'd280000000'],
    [-2147483649, 'd3ffffffff7fffffff'], [-(2n ** 63n), 'd38000000000000000'],
    ['', 'a0'], ['\u00e4', 'a2c3a4'], ['\ufeffx', 'a4efbbbf78'],
    ['a'.repeat(32), 'd920' + '61'.repeat(32)],
    [Uint8Array.of(1), 'c40101'], [[1, [2]], '92019102'],
    [new Map([['a', 1], ['b', null]]), '82a16101a162c0'],
];

const REFUSED = [
    ['', 'nothing'], ['0000', 'two values'], ['cc7f', 'a long 127'],
    ['cd00ff', 'a long 255'], ['ce0000ffff', 'a long 65535'],
    ['cf00000000ffffffff', 'a long 2^32 - 1'], ['d0ff', 'a long -1'],
    ['d000', 'a signed 0'], ['d1ff80', 'a long -128'],
    ['d2ffff8000', 'a long -32768'], ['d3ffffffff80000000', 'a long -2^31'],
    ['d37fffffffffffffff', 'a signed 2^63 - 1'],
    ['ca00000000', 'a float'], ['cb0000000000000000', 'a double'],
    ['d40000', 'an ext'], ['c1', 'the code that is none'],
    ['d90161', 'a long length'], ['da000161', 'a longer length'],
    ['c50001ff', 'a long bin'], ['dc000100', 'a long array'],
    ['de0001a16100', 'a long map'], ['a1ff', 'no UTF-8'],
    ['a2c080', 'an overlong NUL'], ['a3eda080', 'a surrogate'],
    ['a4f4908080', 'what is above U+10FFFF'], ['8100c0', 'a key of 0'],
    ['82a16200a16100', 'keys out of order'], ['82a16100a16100', 'a key twice'],
    ['a1', 'a text that ends early'],
    ['ddffffffff', 'an array that is not there'],
    ['c6ffffffff', 'a bin that is not there'],
    ['91'.repeat(17) + 'c0', 'depth 17'], ['91'.repeat(16) + '90', 'depth 17'],
];

function packs() {
    for (const [value, digits] of VALUES) {
        claim(hex(encode(value)) === digits, `encode ${digits}`);
        claim(hex(encode(decode(unhex(digits), 'it'))) === digits,
            `decode ${digits}`);
    }
    const deep = '91'.repeat(16) + 'c0';
    claim(hex(encode(decode(unhex(deep), 'it'))) === deep, 'depth 16');
    for (const [digits, what] of REFUSED)
        refuses(unhex(digits), what);
}

/* ---- signatures ---- */

async function isGood(key, message, signature) {
    const signatures = new Signatures(webcrypto);
    try {
        signatures.add(key, message, signature, 'bad');
        await signatures.settle();
        return true;
    } catch (error) {
        if (!(error instanceof Differs))
            throw error;
        return false;
    }
}

const ORDER = (1n << 252n) + 27742317777372353535851937790883648493n;

/** The same S, once around the group. */
function withLongS(signature) {
    let s = 0n;
    for (let i = 63; i >= 32; i--)
        s = s << 8n | BigInt(signature[i]);
    s += ORDER;
    const out = signature.slice();
    for (let i = 32; i < 64; i++, s >>= 8n)
        out[i] = Number(s & 0xffn);
    return out;
}

async function signatures() {
    // RFC 8032, 7.1, test 2.
    const key = unhex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd5' +
        '5f12af4660c');
    const message = Uint8Array.of(0x72);
    const signature = unhex('92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8f' +
        'b3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d' +
        '291612bb0c00');
    claim(await isGood(key, message, signature), 'RFC 8032, test 2');
    claim(!await isGood(key, Uint8Array.of(0x73), signature),
        'another message');
    claim(!await isGood(key, message, withLongS(signature)),
        'an S above the order');
    claim(!await isGood(key.subarray(1), message, signature), 'a short key');
    // Of small order, R and key, with S = 0: good for any message in a check
    // that is not strict. The last two are not canonical.
    const zero = new Uint8Array(32);
    const one = unhex('01' + '00'.repeat(31));
    const small = ['01' + '00'.repeat(31), '00'.repeat(32),
        '00'.repeat(31) + '80', 'ec' + 'ff'.repeat(30) + '7f',
        '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
        'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
        'ee' + 'ff'.repeat(30) + '7f', 'ed' + 'ff'.repeat(30) + 'ff'];
    for (const digits of small) {
        const point = unhex(digits);
        claim(!await isGood(point, message, Buffer.concat([one, zero])),
            `key ${digits}`);
        claim(!await isGood(key, message, Buffer.concat([point,
            signature.subarray(32)])), `R ${digits}`);
    }
}

/* ---- keys of types ---- */

/** An event of so many fields, whose id some of them give, or none. */
function eventOf(chainId, count, key) {
    const names = Array.from({length: count}, (_, i) =>
        `f${String(i).padStart(2, '0')}`);
    const fields = new Map(names.map((name) => [name, name]));
    return {type: 'a.b', parent: null, fields, objectId: H('object', chainId,
        'a.b', new Uint8Array(16), encode(key)).slice(0, 16)};
}

function keys() {
    const chainId = new Uint8Array(32);
    const notes = [];
    const objects = new Objects(chainId, null, (text) => notes.push(text));
    const tx = {rawAuthor: chainId, call: {rawId: new Uint8Array(16)}};
    const find = (count, key) => objects.findKey(tx, 0,
        eventOf(chainId, count, key));
    claim(find(8, ['f05', 'f01', 'f07']).join() === 'f05,f01,f07',
        'a key of three fields');
    claim(find(1, ['f00']).join() === 'f00', 'a key of one field');
    try {
        find(3, ['none']);
        claim(false, 'an id of no fields is taken');
    } catch (error) {
        claim(error instanceof Differs, `an id of no fields: ${error}`);
    }
    claim(find(60, ['none']) === undefined && notes.length === 1,
        'a key among too many fields is told of');
    claim(find(60, ['none']) === undefined && notes.length === 2,
        'and looked for no more');
}

const seed = Number(process.argv[2] ?? Math.floor(Math.random() * 2 ** 32));
console.log(`seed ${seed}`);
hashes(new Rng(seed));
packs();
keys();
await signatures();
console.log(`${tried} vectors, ${wrong} wrong`);
process.exitCode = wrong > 0 ? 8 : 0;
