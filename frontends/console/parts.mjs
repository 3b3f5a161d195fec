/** parts: what pages are made of. */
import {html, isValidElement, useState} from './ui.mjs';
import {brief, shown} from './format.mjs';

/** Why something did not happen: the rule's own words where one refused. */
export function Trouble({problem, again}) {
    const {rule, title, code, errors} = problem;
    return html`<div class=${`trouble ${rule ? 'refused' : ''}`} role="alert">
        <strong>${title || 'Something failed'}</strong>
        <p>${problem.message}</p>
        ${errors?.length > 0 && html`<ul>${errors.map((error) =>
            html`<li><code>${error.pointer ?? error.parameter}</code>
                ${' '}${error.detail}</li>`)}</ul>`}
        <p class="quiet">${rule && html`rule <code>${rule}</code> · `}
            ${code && html`<code>${code}</code>`}
            ${problem.request_id && html` · request
                <code> ${problem.request_id}</code>`}</p>
        ${again && html`<button onClick=${again}>Try again</button>`}
    </div>`;
}

/** A hash or a receipt, short, with all of it on the clipboard. */
export function Copy({text}) {
    const [said, say] = useState('');
    const copy = async () => {
        try {
            await navigator.clipboard.writeText(text);
            say('copied');
        } catch {
            say('not allowed here');
        }
    };
    return html`<button class="copy" title=${text} onClick=${copy}
        aria-label=${`Copy ${text}`}><code>${brief(text)}</code>
        <span class="said" role="status">${said}</span></button>`;
}

/** Any value: what is nested, folded. */
export function Value({value}) {
    if (value === null || value === undefined)
        return html`<span class="quiet">—</span>`;
    if (typeof value === 'object') {
        return html`<pre class="json" tabindex="0">${
            JSON.stringify(value, null, 2)}</pre>`;
    }
    const text = shown(value);
    return /^[0-9a-f]{32,}$/.test(text) || text.length > 200
        ? html`<${Copy} text=${text}/>` : html`<span>${text}</span>`;
}

/** Names and values. */
export function Facts({facts}) {
    return html`<dl class="facts">${facts
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => html`<dt>${name}</dt><dd>${
            isValidElement(value) ? value // never of a chain: JSON makes none
                : html`<${Value} value=${value}/>`}</dd>`)}</dl>`;
}

/** A table that scrolls by itself where it is too wide. */
export function Table({label, head, children}) {
    return html`<div class="wide" role="region" aria-label=${label}
        tabindex="0"><table><caption class="hidden">${label}</caption>
        <thead><tr>${head}</tr></thead><tbody>${children}</tbody></table>
    </div>`;
}

/** What filters a page: `/` goes to it. */
export function Filter({value, set, label = 'Filter'}) {
    return html`<label class="filter"><span class="hidden">${label}</span>
        <input type="search" data-filter value=${value} placeholder=${`${
            label}  ( / )`} onInput=${(event) => set(event.target.value)}/>
    </label>`;
}

export const matches = (value, words) => words === '' ||
    JSON.stringify(value).toLowerCase().includes(words.toLowerCase());
