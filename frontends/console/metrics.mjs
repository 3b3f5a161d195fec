/** metrics: what the door counts, every few seconds. */
import {ask} from './api.mjs';
import {count} from './format.mjs';
import {Filter, Table, Trouble, matches} from './parts.mjs';
import {html, useEffect, useState} from './ui.mjs';

const EVERY_MS = 5000;

/** Samples of Prometheus's text: {name, labels, value, doc}. */
export function parseMetrics(text) {
    const docs = {};
    const samples = [];
    for (const line of text.split('\n')) {
        const help = /^# HELP (\S+) (.*)$/.exec(line);
        const sample = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)$/.exec(line);
        if (help !== null)
            docs[help[1]] = help[2];
        else if (sample !== null)
            samples.push({name: sample[1], labels: sample[2] ?? '',
                value: Number(sample[3]), doc: docs[sample[1].replace(
                    /_(bucket|sum|count)$/, '')] ?? docs[sample[1]] ?? ''});
    }
    return samples;
}

function useMetrics() {
    const [state, setState] = useState({samples: []});
    useEffect(() => {
        const stop = new AbortController();
        const look = async () => {
            try {
                const answer = await ask('/metrics', {signal: stop.signal});
                setState({samples: parseMetrics(await answer.text())});
            } catch (problem) {
                if (!stop.signal.aborted)
                    setState(({samples}) => ({samples, problem}));
            }
        };
        look();
        const timer = setInterval(look, EVERY_MS);
        return () => {
            clearInterval(timer);
            stop.abort();
        };
    }, []);
    return state;
}

export function Metrics() {
    const {samples, problem} = useMetrics();
    const [words, setWords] = useState('');
    const [isAll, setAll] = useState(false);
    return html`<h1>Metrics</h1>
        <div class="bar"><${Filter} value=${words} set=${setWords}/>
            <label><input type="checkbox" checked=${isAll} onChange=${(event) =>
                setAll(event.target.checked)}/> buckets, too</label></div>
        ${problem && html`<${Trouble} problem=${problem}/>`}
        <${Table} label="Metrics" head=${html`<th class="number"
            >value</th><th>name</th><th>what it is</th>`}>
            ${samples.filter((one) => matches(one, words) && (isAll ||
                !one.name.endsWith('_bucket'))).map((one) => html`<tr
                key=${one.name + one.labels}><td class="number">${
                count(one.value)}</td><th scope="row"><code>${one.name}${
                one.labels}</code></th><td class="prose">${one.doc}</td>
                </tr>`)}<//>`;
}
