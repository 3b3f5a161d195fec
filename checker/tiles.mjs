/** tiles: the file of the log's hashes against the log (docs/format.md, section
 * 5). It proves nothing, so what is wrong with it is a note. */
import {Differs, Fields, concat, equal, firstSet, utf8} from './bytes.mjs';
import {crc32c} from './crc32c.mjs';
import {nodeHash} from './hash.mjs';
import {Window} from './window.mjs';

const SIZE = 8192;
const WIDTH = 256;

/** Full tiles, in the order in which they become full. */
class FullTiles {
    constructor() {
        this.levels = [];
    }

    * add(hash) {
        for (let level = 0; ; level++) {
            this.levels[level] ??= [];
            const tile = this.levels[level];
            tile.push(hash);
            if (tile.length < WIDTH)
                return;
            yield concat(...tile);
            let nodes = tile.splice(0);
            while (nodes.length > 1)
                nodes = nodes.filter((_, i) => i % 2 === 0)
                    .map((left, i) => nodeHash(left, nodes[2 * i + 1]));
            hash = nodes[0];
        }
    }
}

function headerIsGood(bytes, idStart) {
    if (bytes.length < SIZE || !equal(bytes.subarray(0, 8),
        utf8('ATETIL\0\x01')))
        return false;
    const f = new Fields(bytes);
    return f.hex(8, 16) === idStart && f.isZero(48, 60) &&
        f.u32(60) === crc32c(bytes.subarray(0, 60)) &&
        firstSet(bytes.subarray(64, SIZE)) < 0;
}

export class Tiles {
    constructor(files, idStart, note) {
        this.files = files;
        this.idStart = idStart;
        this.note = note;
        this.full = new FullTiles();
        this.place = 0;
        this.count = 0; // that the file vouches for
    }

    async open() {
        const bytes = await this.header();
        if (bytes === null || bytes.length === 0)
            return;
        if (!headerIsGood(bytes, this.idStart)) {
            this.note('tiles: its header is damaged');
            return;
        }
        this.count = new Fields(bytes).u64(40);
        this.window = new Window(this.files, 'tiles');
    }

    async header() {
        try {
            return await this.files.read('tiles', 0, SIZE);
        } catch (error) {
            if (!(error instanceof Differs))
                throw error;
            this.note(error.message);
            return null;
        }
    }

    /** The next leaf hash of the log. */
    async add(hash) {
        if (this.count === 0)
            return;
        for (const tile of this.full.add(hash)) {
            if (this.place >= this.count)
                return;
            this.place++;
            const found = await this.window.at(SIZE * this.place, SIZE);
            if (!equal(found, tile)) {
                this.note(`tiles: tile ${this.place - 1} differs`);
                this.count = 0;
            }
        }
    }

    end() {
        if (this.place < this.count)
            this.note(`tiles: it speaks of ${this.count} tiles, the log has ` +
                this.place);
    }
}
