/** verifying: a worker that runs the checker (checker/chain.mjs) over files
 * that it asks the door for, piece by piece.
 *
 * It gets {chain, key}, and says {progress}, then {end: 'good', report, notes,
 * read}, {end: 'differs', text} or {end: 'failed', text}. */
const PROGRESS_MS = 100;

function address(chain, name) {
    const path = (text) => text.split('/').map(encodeURIComponent).join('/');
    return `/v1/${path(chain)}/files/${path(name)}`;
}

async function reasonOf(response) {
    const {detail} = await response.json().catch(() => ({}));
    return detail ?? `the node answers ${response.status}`;
}

/** The files as the checker wants them: read(path, offset, length). */
class DoorFiles {
    constructor(chain, key) {
        this.chain = chain;
        this.key = key;
        this.bytes = 0; // that came
    }

    async read(name, offset, length) {
        if (length === 0)
            return new Uint8Array(0);
        const response = await fetch(address(this.chain, name), {
            cache: 'no-store', headers: {
                Authorization: `Bearer ${this.key}`,
                Range: `bytes=${offset}-${offset + length - 1}`,
            },
        });
        if (response.status === 404)
            return null;
        if (response.status === 416)
            return new Uint8Array(0);
        if (response.status !== 206 && response.status !== 200)
            throw new Error(`${name}: ${await reasonOf(response)}`);
        const bytes = new Uint8Array(await response.arrayBuffer());
        this.bytes += bytes.length;
        return bytes;
    }
}

async function check({chain, key}) {
    const {checkChain} = await import('./checker/chain.mjs');
    const files = new DoorFiles(chain, key);
    const notes = [];
    let told = 0;
    const report = await checkChain(files, {
        crypto: self.crypto,
        note: (text) => notes.push(text),
        progress: (progress) => {
            if (performance.now() - told < PROGRESS_MS)
                return;
            told = performance.now();
            postMessage({progress});
        },
    });
    return {end: 'good', report, notes, read: files.bytes};
}

/** What differs is told apart from what could not be read by its class, which
 * is the checker's. */
async function failure(error) {
    const bytes = await import('./checker/bytes.mjs').catch(() => null);
    if (bytes === null)
        return {end: 'failed', text: 'this ate was built without the checker'};
    return {end: error instanceof bytes.Differs ? 'differs' : 'failed',
        text: error.message};
}

self.addEventListener('message', async ({data}) => {
    postMessage(await check(data).catch(failure));
});
