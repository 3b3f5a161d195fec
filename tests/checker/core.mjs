#!/usr/bin/env -S node --no-warnings
/** core: does the checker keep to what a browser needs of it?
 *
 *     core.mjs FOLDER
 *
 * Over a good chain: nothing is read in large pieces, progress goes up to the
 * end, an AbortSignal ends it, what `read` throws comes out as it is, short
 * reads are the end of a file, and two checks at a time do not disturb each
 * other. Prints what was claimed; exit code 8 where it does not hold. */
import {webcrypto as crypto} from 'node:crypto';

import {Differs} from '../../checker/bytes.mjs';
import {checkChain} from '../../checker/chain.mjs';
import {load, readerOf} from './files.mjs';

const READ_MAX = 1 << 18; // of a file of small frames

let wrong = 0;
let claims = 0;

function claim(condition, what) {
    claims++;
    if (condition)
        return;
    wrong++;
    console.error(`core: ${what}`);
}

async function failure(files, options) {
    try {
        await checkChain(files, {crypto, ...options});
        return null;
    } catch (error) {
        return error;
    }
}

const files = load(process.argv[2]);
const reader = readerOf(files);
const good = await checkChain(reader, {crypto});

let largest = 0;
const steps = [];
await checkChain({
    read(path, offset, length) {
        largest = Math.max(largest, length);
        return reader.read(path, offset, length);
    },
}, {crypto, progress: (step) => steps.push(step)});
claim(largest > 0 && largest <= READ_MAX, `reads ${largest} bytes at once`);
claim(steps.every((step, i) => step.bytes <= step.total &&
    (i === 0 || step.bytes > steps[i - 1].bytes)), 'progress goes back');
claim(steps.at(-1).transactions === good.transactions, 'progress ends early');

const canceled = new AbortController();
let seen = 0;
const why = new Error('enough');
claim(await failure(reader, {signal: canceled.signal, progress() {
    if (++seen === 2)
        canceled.abort(why);
}}) === why && seen === 2, 'an abort does not end it');

const broken = new Error('the disk is gone');
claim(await failure({async read(path, offset, length) {
    if (path.endsWith('.head') && offset > 0)
        throw broken;
    return reader.read(path, offset, Math.min(length, 0x2000));
}}, {}) === broken, 'an error of read is taken for one of the chain');

claim(await failure({async read() {
    return null;
}}, {}) instanceof Differs, 'a folder without files is taken');

const both = await Promise.all([checkChain(reader, {crypto}),
    checkChain(reader, {crypto})]);
claim(both.every((report) => report.root === good.root), 'two at a time');
claim((await failure(reader, {crypto: {subtle: {
    async importKey() {
        throw new Error('NotSupported');
    },
}}})).message.includes('has no Ed25519'), 'without Ed25519 it goes on');

console.log(`${claims} claims, ${wrong} wrong`);
process.exitCode = wrong > 0 ? 8 : 0;
