#!/usr/bin/env -S node --no-warnings
/** agree: does the checker judge as the engine does, all but its Lua?
 *
 *     agree.mjs BUILD FOLDER [--damage N] [--seed N] [--only KIND]
 *         [--part I/N] [--keep DIR] [--all]
 *
 * FOLDER holds folders of chains, good and bad ones, that tests left there. Of
 * each, checker/ and `ate chain verify --no-rules` have to say the same: that
 * it is good, with as many transactions and the same root, or that it is not.
 * Then the same of N copies that were damaged (damage.mjs). Of one flipped bit
 * the checker has to say something, be it a note, or the root is another one:
 * no byte of the format is without meaning. --part takes each N-th chain, and
 * so many copies less; --keep leaves the copies that are judged otherwise. The
 * few chains that are large, which take longer than all others, are left out
 * without --all.
 *
 * Of chains called `bad-...` verdict digests are none, so that these alone are
 * no reason; of `bad-FORGED-...` they are what is bad.
 *
 * Prints what was compared; or what differs, with exit code 8. */
import {webcrypto} from 'node:crypto';
import {
    cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {parseArgs} from 'node:util';

import {Differs} from '../../checker/bytes.mjs';
import {Chain} from '../../checker/chain.mjs';
import {KINDS, Victim} from './damage.mjs';
import {Engine} from './engine.mjs';
import {foldersBelow, load, nameOf, readerOf} from './files.mjs';
import {Rng} from './rng.mjs';

/** Those above are large. */
const CHAIN_MAX = 1 << 20; // bytes

/** A chain that takes a moment to check, damaged a thousand times, would take
 * an hour. */
const VICTIM_MAX = 200000; // bytes

/** What the schema says, which is declared in Lua: the engine reads that even
 * when it asks no rules, the checker does not. */
const OF_THE_SCHEMA = [
    /there is no right/, // a delegation's, that no type declares
    /update ate to open it/, // its Lua is of another version
    /there is no worker/,
    /nothing waits there for/, // no worker waits for events of that type
    /nothing that was parked there/, // that worker is none any more
    /: no such [\w.-]+$/, // a field is a ref, and what it names is not there
];

function isOfTheSchema(ours, theirs) {
    return ours.good && !theirs.good &&
        OF_THE_SCHEMA.some((text) => text.test(theirs.text));
}

class LenientChain extends Chain {
    checkVerdict() {
    }
}

async function judge(files, name, isLenient) {
    const notes = [];
    const Kind = isLenient ? LenientChain : Chain;
    try {
        const report = await new Kind(readerOf(files), {
            crypto: webcrypto, name, note: (text) => notes.push(text),
        }).check();
        return {good: true, notes, ...report};
    } catch (error) {
        if (!(error instanceof Differs))
            throw error;
        return {good: false, notes, text: error.message};
    }
}

function isAlike(ours, theirs) {
    return ours.good === theirs.good && (!ours.good ||
        ours.transactions === theirs.transactions &&
        ours.root === theirs.root);
}

function told(said) {
    return said.good ? `good, ${said.transactions}, ${said.root}` : said.text;
}

function sizeOf(files) {
    return [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
}

class Comparison {
    constructor(options, build) {
        this.engine = new Engine(build);
        this.rng = new Rng(options.seed);
        this.options = options;
        this.scratch = mkdtempSync(join(tmpdir(), 'agree-'));
        this.counts = {chains: 0, bad: 0, damaged: 0, refused: 0, wrong: 0,
            schema: 0, large: 0};
        this.victims = [];
    }

    complain(what, ours, theirs) {
        this.counts.wrong++;
        console.error(`agree: ${what}\n  checker: ${told(ours)}\n` +
            `  engine: ${told(theirs)}`);
    }

    /** A chain as a test left it. */
    async compare(folder) {
        const files = load(folder);
        if (sizeOf(files) > CHAIN_MAX && !this.options.all) {
            this.counts.large++;
            return;
        }
        const isBad = /bad-(?!FORGED)/.test(nameOf(folder));
        const [theirs, ours] = await Promise.all([this.engine.judge(folder),
            judge(files, nameOf(folder), isBad)]);
        this.counts.chains++;
        this.counts.bad += !ours.good;
        if (isOfTheSchema(ours, theirs))
            this.counts.schema++;
        else if (!isAlike(ours, theirs))
            this.complain(folder, ours, theirs);
        else if (ours.good && files.get('cur') !== undefined)
            this.keep(nameOf(folder), files, ours);
    }

    /** Some of those that are good will be damaged. */
    keep(name, files, said) {
        const victim = new Victim(name, files);
        if (sizeOf(files) <= VICTIM_MAX && victim.frames.length > 2)
            this.victims.push({victim, root: said.root});
    }

    async damage(count) {
        const others = this.victims.map(({victim}) => victim);
        for (let n = 0; n < count; n++) {
            const kinds = KINDS.filter((kind) => !this.options.only ||
                kind.name === this.options.only);
            const kind = kinds[n % kinds.length];
            const {victim, root} = this.rng.pick(this.victims);
            const {what, files, isFlip} = kind(victim, this.rng, others);
            await this.compareDamaged(`${kind.name} of ${victim.name}: ${what}`,
                files, isFlip ? root : null);
        }
    }

    /** `root`: of the good chain, when one bit of it was flipped. */
    async compareDamaged(what, files, root) {
        const folder = join(this.scratch, 'chain');
        rmSync(folder, {recursive: true, force: true});
        mkdirSync(folder);
        for (const [name, bytes] of files) {
            mkdirSync(dirname(join(folder, name)), {recursive: true});
            writeFileSync(join(folder, name), bytes);
        }
        const [theirs, ours] = await Promise.all([this.engine.judge(folder),
            judge(files, 'chain', false)]);
        this.counts.damaged++;
        this.counts.refused += !ours.good;
        if (isOfTheSchema(ours, theirs)) {
            this.counts.schema++;
        } else if (!isAlike(ours, theirs)) {
            this.complain(what, ours, theirs);
            if (this.options.keep !== undefined)
                cpSync(folder, join(this.options.keep,
                    String(this.counts.damaged)), {recursive: true});
        } else if (root !== null && ours.good && ours.root === root &&
                ours.notes.length === 0) {
            this.complain(`not seen: ${what}`, ours, theirs);
        }
    }

    close() {
        this.engine.close();
        rmSync(this.scratch, {recursive: true});
    }
}

async function main() {
    const {values, positionals: [build, root]} = parseArgs({
        allowPositionals: true,
        options: {
            damage: {type: 'string', default: '0'},
            seed: {type: 'string'},
            only: {type: 'string'},
            keep: {type: 'string'},
            all: {type: 'boolean'},
            part: {type: 'string', default: '1/1'},
        },
    });
    const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
    console.log(`seed ${seed}`);
    const comparison = new Comparison({...values, seed}, build);
    const [part, parts] = values.part.split('/').map(Number);
    const folders = foldersBelow(root);
    for (let i = part - 1; i < folders.length; i += parts)
        await comparison.compare(folders[i]);
    await comparison.damage(Math.ceil(Number(values.damage) / parts));
    comparison.close();
    const {chains, bad, damaged, refused, wrong, schema, large} =
        comparison.counts;
    console.log(`${chains} chains, ${bad} of them bad, ${schema} by their ` +
        `schema, ${large} too large; ${damaged} damaged, ${refused} of them ` +
        `refused: ${wrong} judged otherwise`);
    process.exitCode = wrong > 0 ? 8 : 0;
}

await main();
