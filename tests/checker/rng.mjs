/** rng: chance that a seed repeats (mulberry32). */
export class Rng {
    constructor(seed) {
        this.state = seed >>> 0;
    }

    /** From 0 up to `limit`, not included. */
    below(limit) {
        this.state = this.state + 0x6d2b79f5 | 0;
        let t = Math.imul(this.state ^ this.state >>> 15, 1 | this.state);
        t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
        return Math.floor(((t ^ t >>> 14) >>> 0) / 0x100000000 * limit);
    }

    pick(list) {
        return list[this.below(list.length)];
    }
}
