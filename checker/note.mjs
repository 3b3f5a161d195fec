/** note: checkpoints, C2SP signed notes of the order key, and receipts, against
 * a chain that is read (docs/format.md, section 3). */
import {
    Differs, concat, equal, hex, need, unbase64, utf8,
} from './bytes.mjs';
import {array, decode} from './msgpack.mjs';
import {sha256} from './sha256.mjs';

const NOTE_MAX = 8192;
const SIGNATURES_MAX = 16;
const NOTE = new RegExp('^(ate/([0-9a-f]{64})\n(0|[1-9][0-9]{0,15})\n' +
    '([A-Za-z0-9+/=]{44})\n)\n((?:\u2014 [^ \n]+ [A-Za-z0-9+/=]+\n)+)$');

/** The first 4 bytes that a signature line has of its key, in hex. */
export function keyHash(name, key) {
    return hex(sha256(concat(utf8(`${name}\n`), Uint8Array.of(1), key))
        .subarray(0, 4));
}

/** A checkpoint of a chain, its signatures not looked at. */
export function readNote(text) {
    const found = utf8(text).length <= NOTE_MAX ? NOTE.exec(text) : null;
    need(found !== null, 'checkpoint: not a signed note of a chain');
    const [, signed, chain, size, root, lines] = found;
    const signatures = lines.slice(0, -1).split('\n').map((line) => {
        const [, name, data] = line.split(' ');
        return {name, data: unbase64(data, 'checkpoint: signature')};
    });
    need(signatures.length <= SIGNATURES_MAX,
        'checkpoint: too many signatures');
    return {text: utf8(signed), chain, size: Number(size), signatures,
        root: unbase64(root, 'checkpoint: root')};
}

/** One of the keys has to have signed it, as the chain's order key. */
export async function checkSigned(note, keys, signatures) {
    const name = `ate/${note.chain}`;
    for (const line of note.signatures) {
        if (line.name !== name || line.data.length !== 68)
            continue;
        const hint = hex(line.data.subarray(0, 4));
        const key = keys.find((one) => keyHash(name, one) === hint);
        if (key === undefined)
            continue;
        signatures.add(key, note.text, line.data.subarray(4),
            'checkpoint: the signature is wrong');
        await signatures.settle();
        return;
    }
    throw new Differs('checkpoint: not signed by the order key');
}

function readReceipt(base64) {
    const [index, txId, text] = array(decode(unbase64(base64, 'receipt'),
        'receipt'), 'count 32 str', 'receipt');
    return {index, txId, note: readNote(text)};
}

/** What a chain has to fit, and what is seen of it while it is read. */
export class Watched {
    constructor({checkpoints = [], receipts = []}) {
        this.receipts = receipts.map(readReceipt);
        this.notes = [...checkpoints.map(readNote),
            ...this.receipts.map((receipt) => receipt.note)];
        this.roots = new Map(this.notes.map((note) => [note.size, null]));
        this.txIds = new Map(this.receipts.map((receipt) =>
            [receipt.index, null]));
    }

    /** A transaction has come into the tree. */
    see(index, txId, tree) {
        if (this.txIds.has(index))
            this.txIds.set(index, txId);
        if (this.roots.has(tree.size))
            this.roots.set(tree.size, tree.root());
    }

    async check(signatures, chain) {
        for (const note of this.notes)
            await this.checkNote(note, signatures, chain);
        for (const {index, txId, note} of this.receipts) {
            need(index < note.size,
                'receipt: its checkpoint does not cover it');
            need(equal(this.txIds.get(index), txId),
                `receipt: transaction ${index} is another one`);
        }
    }

    async checkNote(note, signatures, chain) {
        need(note.chain === hex(chain.id), 'checkpoint: of another chain');
        const root = this.roots.get(note.size);
        need(root !== null, `checkpoint: of ${note.size} transactions, ` +
            `${chain.tree.size} are here`);
        need(equal(root, note.root),
            `checkpoint: the root of ${note.size} transactions differs`);
        await checkSigned(note, chain.trust.checkpointKeys(note.size),
            signatures);
    }
}
