/** proof: a proof file, one transaction without its chain (docs/format.md,
 * section 10). */
import {
    base64, concat, hex, isSorted, need, u64, utf8,
} from './bytes.mjs';
import {
    batchText, checkRoots, keyId, readFurther, readGenesis, readMember,
    signText, sigsHash,
} from './event.mjs';
import {H, NOTHING, SUITE, leafHash, rootOfProof} from './hash.mjs';
import {array, decode, each} from './msgpack.mjs';
import {keyHash} from './note.mjs';
import {Signatures, demandEd25519} from './signatures.mjs';
import {checkInclusion, openCheckpoint, readProof, readVkey} from './tlog.mjs';

export const PROOF_MAX = 4 << 20;
const BATCH_MAX = 4096;

/** The order key as a vkey of the chain's notes. */
function vkeyOf(chainId, key) {
    const name = `ate/${hex(chainId)}`;
    return `${name}+${keyHash(name, key)}+` +
        base64(concat(Uint8Array.of(1), key));
}

class Proof {
    constructor(extra, index, signatures) {
        this.index = index;
        this.signatures = signatures;
        const [genesis, rootSigs, batch, count, place, path, records] = array(
            decode(extra, 'extra'), 'bin list bin? count count list list',
            'extra');
        this.genesis = readGenesis(genesis);
        this.id = this.genesis.id;
        this.readKeys(records);
        const further = readFurther(rootSigs, 'root signatures');
        this.checkRootSignatures(further);
        if (batch === null) {
            need(index === 0 && count === 0 && place === 0 &&
                path.length === 0 && records.length === 0,
            'genesis: parts of a transaction');
            this.leaf = this.leafOf(this.id, sigsHash(NOTHING, further),
                H('verdict'));
            return;
        }
        need(index > 0, 'a transaction in place of genesis');
        this.checkBatch(batch, count, place, each(path, '32', 'path'));
    }

    /** Those that come along, sorted by id; then those of genesis. */
    readKeys(records) {
        const ids = records.map(keyId);
        need(isSorted(ids.map(utf8)), 'keys: not sorted, or one twice');
        this.keys = new Map([...this.genesis.roots, this.genesis.order,
            ...records].map((record) => [keyId(record), record[1]]));
        this.strangers = new Set(ids);
    }

    leafOf(txId, sigs, verdict) {
        return concat(SUITE, u64(this.index), txId, sigs, verdict);
    }

    checkRootSignatures(further) {
        const roots = checkRoots(this.genesis.roots, this.genesis.k, 'roots');
        need(further.length >= this.genesis.k,
            `${further.length} root keys signed`);
        for (const sig of further) {
            need(sig.purpose === 'root' && roots.includes(sig.key),
                'a signature of no root key');
            this.add(sig.key, signText(this.id, 'root', this.id),
                sig.signature, 'a root signature is wrong');
        }
    }

    /** A signer; without his key his signature stays unchecked. */
    add(id, message, signature, text) {
        this.strangers.delete(id);
        const key = this.keys.get(id);
        if (key !== undefined)
            this.signatures.add(key, message, signature, text);
    }

    checkBatch(payload, count, place, path) {
        const [author, signature, members] = array(decode(payload, 'batch'),
            '32 64 list', 'batch');
        need(members.length === 1, `${members.length} members`);
        need(members[0]?.[3] === null && members[0][4] === null,
            'a read set or a result');
        const tx = readMember(this.id, author, members[0]);
        const root = count <= BATCH_MAX && place < count
            ? rootOfProof(leafHash(tx.id), place, count, path) : null;
        need(root !== null, 'batch: no place among its members');
        this.add(tx.author, batchText(this.id, count, root), signature,
            'the author\'s signature is wrong');
        for (const sig of tx.further)
            this.add(sig.key, signText(this.id, sig.purpose, tx.id),
                sig.signature, 'a further signature is wrong');
        need(this.strangers.size === 0, 'a key that signed nothing');
        this.leaf = this.leafOf(tx.id, sigsHash(signature, tx.further),
            tx.verdict);
    }
}

/** Check the bytes of a proof file. Options: `crypto`; `vkey`, the order key
 * where genesis has another one. Gives {index, name, leaf, size}. */
export async function checkProof(bytes, {crypto, vkey}) {
    await demandEd25519(crypto);
    need(bytes.length <= PROOF_MAX, 'a proof over 4 MiB');
    const signatures = new Signatures(crypto);
    const {extra, index, hashes, checkpoint} = readProof(bytes);
    need(extra !== null, 'no extra data');
    const proof = new Proof(extra, index, signatures);
    const key = readVkey(vkey ?? vkeyOf(proof.id, proof.genesis.order[1]));
    need(key.name === `ate/${hex(proof.id)}`, 'a key of another chain');
    const note = await openCheckpoint(checkpoint, key, signatures);
    await signatures.settle();
    checkInclusion(proof.leaf, index, note, hashes);
    return {index, name: proof.genesis.name, leaf: hex(proof.leaf),
        size: note.size};
}
