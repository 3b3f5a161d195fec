/** tail: transactions as they come. */
import {follow, get, path} from './api.mjs';
import {Filter, Trouble, matches} from './parts.mjs';
import {Transaction} from './transaction.mjs';
import {html, useEffect, useState} from './ui.mjs';

const BEFORE = 20; // that are told at first
const KEPT = 500;

const STATES = {
    live: 'live: new transactions appear at the top',
    lost: 'the connection was lost; trying again',
    begin: 'connecting',
};

function useTail(name) {
    const [told, setTold] = useState([]);
    const [state, setState] = useState('begin');
    const [problem, setProblem] = useState(null);
    useEffect(() => {
        const stop = new AbortController();
        const see = (tx) => setTold((before) => [tx, ...before].slice(0, KEPT));
        get(path(name), stop.signal).then(({size}) =>
            follow(name, Math.max(size - BEFORE, 0) - 1, stop.signal, see,
                (now) => stop.signal.aborted || setState(now)))
            .catch((error) => stop.signal.aborted || setProblem(error));
        return () => stop.abort();
    }, [name]);
    return {told, state, problem};
}

export function Tail({name}) {
    const {told, state, problem} = useTail(name);
    const [words, setWords] = useState('');
    return html`<div class="bar">
        <${Filter} value=${words} set=${setWords}/>
        <p class=${`live is-${state}`} role="status">${STATES[state]}</p></div>
        ${problem && html`<${Trouble} problem=${problem}/>`}
        <div class="log" aria-live="polite" aria-label="Transactions">${
            told.filter((tx) => matches(tx, words)).map((tx) =>
                html`<${Transaction} key=${tx.index} chain=${name}
                    tx=${tx}/>`)}</div>`;
}
