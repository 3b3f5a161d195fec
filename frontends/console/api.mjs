/** api: requests to the door this page came from, and nowhere else. */
import {key} from './session.mjs';

/** What the door answered when it said no: an RFC 9457 problem. */
export class Problem extends Error {
    constructor(problem) {
        super(problem.detail ?? problem.title ?? 'no answer');
        Object.assign(this, {status: 0, code: '', title: ''}, problem);
    }
}

/** `/v1/my/chain/types/account/alice`: each part with its own slashes kept. */
export function path(...parts) {
    return '/v1/' + parts.map((part) => String(part).split('/')
        .map(encodeURIComponent).join('/')).join('/');
}

export function query(values) {
    const text = new URLSearchParams(Object.entries(values)
        .filter(([, value]) => value !== undefined && value !== ''));
    return text.size > 0 ? `?${text}` : '';
}

async function problemOf(response) {
    const text = await response.text();
    try {
        return new Problem(JSON.parse(text));
    } catch {
        return new Problem({status: response.status, detail: text});
    }
}

/** The response, which is a good one. */
export async function ask(address, options = {}) {
    let response;
    try {
        response = await fetch(address, {...options, cache: 'no-store',
            headers: {...options.headers, Authorization: `Bearer ${key()}`}});
    } catch (error) {
        if (error.name === 'AbortError')
            throw error;
        throw new Problem({title: 'The node does not answer',
            detail: 'is ate serve still running?'});
    }
    if (!response.ok)
        throw await problemOf(response);
    return response;
}

export const get = async (address, signal) =>
    (await ask(address, {signal, headers: {Accept: 'application/json'}}))
        .json();

/** Headers take no other letters. */
const inAscii = (json) => json.replace(/[\u0080-\uffff]/g, (letter) =>
    `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Call by POST. `id` makes it happen once, however often it is sent; `as` is
 * the key that signs, if it is not me, `context` what the method may know. */
export async function post(address, body, id, {as, context} = {}) {
    const headers = {'Content-Type': 'application/json',
        'Idempotency-Key': id};
    if (as)
        headers['Ate-As'] = as;
    if (context && Object.keys(context).length > 0)
        headers['Ate-Context'] = inAscii(JSON.stringify(context));
    const response = await ask(address, {method: 'POST', headers,
        body: JSON.stringify(body)});
    return response.json();
}

/** Parts of an event stream, each {event, id, data}. */
async function* events(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
        const {value, done} = await reader.read();
        if (done)
            return;
        text += value;
        const parts = text.split('\n\n');
        text = parts.pop();
        for (const part of parts) {
            const fields = Object.fromEntries(part.split('\n').map((line) => {
                const at = line.indexOf(': ');
                return at < 0 ? [line, ''] : [line.slice(0, at),
                    line.slice(at + 2)];
            }));
            if (fields.data !== undefined)
                yield fields;
        }
    }
}

const sleep = (ms, signal) => new Promise((wake) => {
    const timer = setTimeout(wake, ms);
    signal.addEventListener('abort', () => {
        clearTimeout(timer);
        wake();
    }, {once: true});
});

const RETRY_MS = [500, 1000, 2000, 5000];

/** Follow transactions from `after` on, over lost connections, until `signal`
 * says so. told(transaction), state('live' | 'lost'). */
export async function follow(chain, after, signal, told, state) {
    for (let tries = 0; !signal.aborted;) {
        try {
            const response = await ask(path(chain, 'events') + query({
                after: after < 0 ? undefined : after,
            }), {signal, headers: {Accept: 'text/event-stream'}});
            state('live');
            for await (const event of events(response.body)) {
                tries = 0;
                if (event.event !== 'transaction')
                    throw new Problem(JSON.parse(event.data));
                after = Number(event.id);
                told(JSON.parse(event.data));
            }
        } catch (error) {
            if (signal.aborted)
                return;
            if (error instanceof Problem && error.status >= 400 &&
                error.status < 500)
                throw error;
        }
        state('lost');
        await sleep(RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)], signal);
    }
}
