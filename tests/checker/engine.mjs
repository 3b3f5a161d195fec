/** engine: asks engine.lua what the engine says of folders. */
import {spawn} from 'node:child_process';
import {createInterface} from 'node:readline';

export class Engine {
    constructor(build) {
        const script = new URL('engine.lua', import.meta.url).pathname;
        this.child = spawn('luajit', [script, build],
            {stdio: ['pipe', 'pipe', 'inherit']});
        this.lines = createInterface({input: this.child.stdout})[
            Symbol.asyncIterator]();
    }

    /** {good, transactions, root} or {good: false, text}. */
    async judge(folder) {
        this.child.stdin.write(`${folder}\n`);
        const {value, done} = await this.lines.next();
        if (done)
            throw new Error(`the engine ended at ${folder}`);
        const [word, count, root] = value.split(' ');
        return word === 'good'
            ? {good: true, transactions: Number(count), root}
            : {good: false, text: value};
    }

    close() {
        this.child.stdin.end();
    }
}
