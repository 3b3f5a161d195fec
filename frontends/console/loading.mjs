/** loading: values that are asked for, and pages of them. */
import {get} from './api.mjs';
import {html, useCallback, useEffect, useState} from './ui.mjs';
import {Trouble} from './parts.mjs';

/** {value, problem, again()} of one address. */
export function useGet(address) {
    const [state, setState] = useState({});
    const [turn, setTurn] = useState(0);
    useEffect(() => {
        const stop = new AbortController();
        get(address, stop.signal).then((value) => setState({address, value}),
            (problem) => stop.signal.aborted ||
                setState({address, problem}));
        return () => stop.abort();
    }, [address, turn]);
    const again = useCallback(() => setTurn((n) => n + 1), []);
    return {...state.address === address ? state : {}, again};
}

/** What a value looks like when it is there. */
export function Loaded({of, children}) {
    if (of.problem !== undefined)
        return html`<${Trouble} problem=${of.problem} again=${of.again}/>`;
    if (of.value === undefined)
        return html`<p class="quiet waiting" aria-busy="true">Loading…</p>`;
    return children(of.value);
}

/** A page and how to go on from it. `address(cursor)` names each. */
export function usePages(address) {
    const [before, setBefore] = useState([]);
    const [cursor, setCursor] = useState(undefined);
    const first = address(undefined);
    useEffect(() => {
        setBefore([]);
        setCursor(undefined);
    }, [first]);
    const page = useGet(address(cursor));
    return {
        ...page,
        number: before.length + 1,
        next: page.value?.next && (() => {
            setBefore([...before, cursor]);
            setCursor(page.value.next);
        }),
        back: before.length > 0 && (() => {
            setCursor(before[before.length - 1]);
            setBefore(before.slice(0, -1));
        }),
    };
}

export function Pager({pages}) {
    return html`<nav class="pager" aria-label="Pages">
        <button disabled=${!pages.back} onClick=${pages.back || null}
            >← Back</button>
        <span class="quiet" aria-live="polite">Page ${pages.number}</span>
        <button disabled=${!pages.next} onClick=${pages.next || null}
            >Next →</button>
        <button onClick=${pages.again} aria-label="Load this page again"
            >↻</button>
    </nav>`;
}
