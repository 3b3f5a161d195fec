#!/usr/bin/env -S node --no-warnings
/** cli: the checker on a command line; no other file here needs Node.js. */
import {webcrypto} from 'node:crypto';
import {constants, open, readFile, realpath, stat} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {parseArgs} from 'node:util';

import {Differs, unhex} from './bytes.mjs';
import {checkChain} from './chain.mjs';
import {checkProof} from './proof.mjs';
import {checkLeaf, checkTree} from './tlog.mjs';

const HELP = `Check a chain, a proof or a published log, without ate.

    cli.mjs FOLDER [--checkpoint FILE] [--receipt BASE64] [--root HEX]
        [--state HEX] [--strict]
    cli.mjs proof FILE [--vkey VKEY] [--leaf HEX]
    cli.mjs tree DIR --vkey VKEY [--since FILE]

A chain is checked from its genesis, as far as it takes no Lua; checkpoints and
receipts (several of each) have to fit it, and the root of its log, and the
state root at its end, which is known where the schema has no views and no
workers. What is odd and takes nothing away
(a damaged watermark beside a good one, tiles that are wrong) is told; with
--strict it counts as something that differs. A proof is of ate, or, with
--leaf, any C2SP tlog-proof. --json prints the result as JSON.

Exit code 0: as recorded; 8: something differs; 3: no such folder or file;
2: usage; 1: a failure.
`;

/** The files of a folder, as the core wants them; they stay open. Links are
 * followed in what others published, never in a chain. */
class NodeFiles {
    constructor(folder, links = 0) {
        this.folder = folder;
        this.flags = constants.O_RDONLY | constants.O_NONBLOCK | links;
        this.handles = new Map();
    }

    /** It does not wait for who writes into a pipe. */
    async open(path) {
        let handle;
        try {
            handle = await open(join(this.folder, path), this.flags);
        } catch (error) {
            if (error.code === 'ENOENT')
                return null;
            if (error.code === 'ELOOP' || error.code === 'ENXIO')
                throw new Differs(`${path}: it is no regular file`);
            throw error;
        }
        if (!(await handle.stat()).isFile()) {
            await handle.close();
            throw new Differs(`${path}: it is no regular file`);
        }
        return handle;
    }

    async read(path, offset, length) {
        if (!this.handles.has(path))
            this.handles.set(path, await this.open(path));
        const handle = this.handles.get(path);
        if (handle === null)
            return null;
        const size = (await handle.stat()).size;
        const bytes = new Uint8Array(Math.max(0,
            Math.min(length, size - offset)));
        let at = 0;
        while (at < bytes.length) {
            const {bytesRead} = await handle.read(bytes, at, bytes.length - at,
                offset + at);
            if (bytesRead === 0)
                break;
            at += bytesRead;
        }
        return bytes.subarray(0, at);
    }

    async close() {
        for (const handle of this.handles.values())
            await handle?.close();
    }
}

/** A usage error. */
class Usage extends Error {}

async function checkFolder(folder, options) {
    if (!(await stat(folder)).isDirectory())
        throw new Usage(`${folder} is no folder`);
    const texts = (options.checkpoint ?? []).map((path) =>
        readFile(path, 'utf8'));
    const files = new NodeFiles(folder, constants.O_NOFOLLOW);
    try {
        let isOdd = false;
        const report = await checkChain(files, {
            crypto: webcrypto,
            name: basename(await realpath(folder)),
            checkpoints: await Promise.all(texts),
            receipts: options.receipt ?? [],
            note: (text) => {
                isOdd = true;
                console.error(`check: ${folder}: ${text}`);
            },
        });
        if (isOdd && options.strict)
            throw new Differs('odd, and --strict');
        if (options.root !== undefined && report.root !== options.root)
            throw new Differs(`the root is ${report.root}`);
        if (options.state !== undefined && report.state !== options.state) {
            throw new Differs(report.state === null
                ? 'the state root takes Lua: the schema has views or workers'
                : `the state root is ${report.state}`);
        }
        return {report, text: `${report.transactions} transactions, ` +
            `${report.signatures} signatures: all as recorded; rules, which ` +
            'are Lua, were not asked'};
    } finally {
        await files.close();
    }
}

/** The bytes of hex digits; a usage error when they are none. */
function hexOption(digits, name) {
    if (!/^([0-9a-f]{2})*$/.test(digits))
        throw new Usage(`--${name} takes hex digits`);
    return unhex(digits);
}

async function checkProofFile(path, options) {
    const bytes = new Uint8Array(await readFile(path));
    const {vkey} = options;
    if (options.leaf === undefined) {
        const report = await checkProof(bytes, {crypto: webcrypto, vkey});
        return {report, text: `transaction ${report.index} of ` +
            `${report.name}: as recorded\n${report.leaf}`};
    }
    if (vkey === undefined)
        throw new Usage('--leaf takes --vkey, too');
    const {index, size, origin} = await checkLeaf(bytes, {vkey,
        crypto: webcrypto, leaf: hexOption(options.leaf, 'leaf')});
    return {report: {index, size, origin},
        text: `leaf ${index} of ${size}: as promised`};
}

async function checkPublished(folder, options) {
    if (options.vkey === undefined)
        throw new Usage('tree takes --vkey');
    const files = new NodeFiles(folder);
    try {
        const {size, origin} = await checkTree(files, {
            crypto: webcrypto,
            vkey: options.vkey,
            since: options.since && new Uint8Array(
                await readFile(options.since)),
        });
        return {report: {size, origin},
            text: `${size} leaves of ${origin}: as promised`};
    } finally {
        await files.close();
    }
}

const COMMANDS = {
    chain: {check: checkFolder, options: ['checkpoint', 'receipt', 'root',
        'state', 'strict']},
    proof: {check: checkProofFile, options: ['vkey', 'leaf']},
    tree: {check: checkPublished, options: ['vkey', 'since']},
};

function parse(words) {
    const one = {type: 'string'};
    const several = {type: 'string', multiple: true};
    let parsed;
    try {
        parsed = parseArgs({args: words, allowPositionals: true, options: {
            checkpoint: several, receipt: several, root: one, state: one,
            vkey: one, leaf: one, since: one, json: {type: 'boolean'},
            strict: {type: 'boolean'},
            help: {type: 'boolean', short: 'h'},
        }});
    } catch (error) {
        throw new Usage(error.message);
    }
    const {values, positionals} = parsed;
    if (values.help)
        return {help: true};
    const name = ['proof', 'tree'].includes(positionals[0])
        ? positionals.shift() : 'chain';
    if (positionals.length !== 1)
        throw new Usage('one folder or file, please; --help says more');
    const wrong = Object.keys(values).find((option) => option !== 'json' &&
        !COMMANDS[name].options.includes(option));
    if (wrong !== undefined)
        throw new Usage(`--${wrong} is not for this`);
    return {name, place: positionals[0], options: values};
}

/** What a failure is, for the exit code. */
function codeOf(error) {
    if (error instanceof Usage)
        return 2;
    if (error instanceof Differs)
        return 8;
    return error.code === 'ENOENT' || error.code === 'ENOTDIR' ? 3 : 1;
}

async function main(words) {
    let place = '';
    try {
        const parsed = parse(words);
        if (parsed.help) {
            process.stdout.write(HELP);
            return 0;
        }
        place = `${parsed.place}: `;
        const {report, text} = await COMMANDS[parsed.name].check(parsed.place,
            parsed.options);
        console.log(parsed.options.json ? JSON.stringify(report) : text);
        return 0;
    } catch (error) {
        const text = error.code === 'ENOENT' ? 'no such folder or file'
            : error.message;
        console.error(`check: ${error instanceof Usage ? '' : place}${text}`);
        return codeOf(error);
    }
}

process.exitCode = await main(process.argv.slice(2));
