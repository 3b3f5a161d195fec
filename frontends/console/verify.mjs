/** verify: the independent checker, run in this browser over the chain's own
 * files. It takes no word of the node's: only bytes. */
import {bytes, count} from './format.mjs';
import {Facts, Trouble} from './parts.mjs';
import {key} from './session.mjs';
import {html, useEffect, useRef, useState} from './ui.mjs';

/** Start the worker; what it says goes to `told`. */
function start(chain, told) {
    const worker = new Worker(new URL('./verifying.mjs', import.meta.url),
        {type: 'module'});
    worker.addEventListener('message', ({data}) => told(data));
    worker.addEventListener('error', (event) => {
        event.preventDefault();
        told({end: 'failed', text: event.message ||
            'the checker could not be loaded'});
    });
    worker.postMessage({chain, key: key()});
    return worker;
}

function Progress({at}) {
    return html`<div class="progress"><progress max=${at?.total ?? 1}
        value=${at?.bytes ?? 0} aria-label="Checked"></progress>
        <p class="quiet" role="status">${at === undefined ? 'reading'
            : `${count(at.transactions)} transactions, ${bytes(at.bytes)} of ${
                bytes(at.total)}`}</p></div>`;
}

function Report({report, notes, read}) {
    return html`<section class="answer good" role="status">
        <h2>All as recorded</h2>
        <${Facts} facts=${[
            ['chain', report.name], ['id', report.id],
            ['transactions', count(report.transactions)],
            ['signatures', count(report.signatures)],
            ['verdicts', count(report.verdicts)],
            ['root of the log', report.root],
            ['state root', report.state ?? 'not known: it takes Lua'],
            ['read', bytes(read)],
        ]}/>
        ${notes.length > 0 && html`<h3>Odd, but nothing is lost</h3>
            <ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>`}
        <p class="quiet">Compare the id and the root with what somebody else
            has: a node can show you another chain, but not this one,
            changed.</p></section>`;
}

function Outcome({state}) {
    if (state.end === 'good')
        return html`<${Report} ...${state}/>`;
    if (state.end === 'differs')
        return html`<section class="answer bad" role="alert">
            <h2>Not as recorded</h2><p>${state.text}</p></section>`;
    if (state.end === 'failed')
        return html`<${Trouble} problem=${{title: 'It could not be checked',
            message: state.text}}/>`;
    return html`<${Progress} at=${state.progress}/>`;
}

export function Verify({name}) {
    const [state, setState] = useState(null);
    const worker = useRef(null);
    const stop = () => {
        worker.current?.terminate();
        worker.current = null;
    };
    useEffect(() => stop, []);
    const begin = () => {
        stop();
        setState({});
        worker.current = start(name, (said) =>
            setState((before) => ({...before, ...said})));
    };
    const isRunning = state !== null && state.end === undefined;
    return html`<p>A second implementation, in JavaScript and from the format's
        description alone, reads all of this chain's files and checks every
        hash, signature, sequence and right, from the genesis on. Rules, which
        are Lua, it does not ask.</p>
        ${isRunning ? html`<button onClick=${() => {
            stop();
            setState(null);
        }}>Stop</button>` : html`<button class="main" onClick=${begin}>Verify
            here</button>`}
        ${state !== null && html`<${Outcome} state=${state}/>`}`;
}
