/** files: chains' folders in memory, as the checker reads them. */
import {readFileSync, readdirSync, statSync} from 'node:fs';
import {basename, join} from 'node:path';

/** A node's notes for itself, which nobody else looks at. */
const PRIVATE = ['snapshot', 'snapshot.new', 'verified'];

/** Name -> bytes of all that others read; `large/...`, too. */
export function load(folder, prefix = '') {
    const files = new Map();
    for (const name of readdirSync(folder).sort()) {
        const path = join(folder, name);
        if (statSync(path).isDirectory())
            for (const [below, bytes] of load(path, `${prefix}${name}/`))
                files.set(below, bytes);
        else if (!PRIVATE.includes(name))
            files.set(prefix + name, new Uint8Array(readFileSync(path)));
    }
    return files;
}

/** The interface of checker/window.mjs. */
export function readerOf(files) {
    return {
        async read(path, offset, length) {
            return files.get(path)?.subarray(offset, offset + length) ?? null;
        },
    };
}

/** Folders of chains below a folder: they hold a `cur`, or would. */
export function foldersBelow(root) {
    return readdirSync(root).sort().map((name) => join(root, name))
        .filter((path) => statSync(path).isDirectory());
}

export function nameOf(folder) {
    return basename(folder);
}
