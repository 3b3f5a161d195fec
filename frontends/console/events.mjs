/** events: the log, page by page. */
import {path, query} from './api.mjs';
import {Loaded, Pager, usePages} from './loading.mjs';
import {Filter, matches} from './parts.mjs';
import {to} from './route.mjs';
import {Transaction} from './transaction.mjs';
import {html, useState} from './ui.mjs';

const LIMIT = 50;

export function Events({name, search}) {
    const [words, setWords] = useState('');
    const after = /^\d+$/.test(search.from ?? '') && search.from > 0
        ? search.from - 1 : undefined;
    const pages = usePages((cursor) => path(name, 'events') + query({
        limit: LIMIT, cursor, after: cursor === undefined ? after : undefined,
    }));
    const go = (event) => {
        event.preventDefault();
        location.hash = to(['chain', name, 'events'],
            {from: event.target.elements.from.value});
    };
    return html`<div class="bar">
        <${Filter} value=${words} set=${setWords} label="Filter this page"/>
        <form class="inline" onSubmit=${go}><label>from
            <input name="from" type="number" min="0" value=${search.from ?? ''}
                placeholder="0"/></label><button>Go</button></form>
    </div>
    <${Loaded} of=${pages}>${({items}) => {
        const found = items.filter((tx) => matches(tx, words));
        return html`<div class="log">${found.map((tx) => html`<${Transaction}
            key=${tx.index} chain=${name} tx=${tx}/>`)}
            ${found.length === 0 && html`<p class="empty">Nothing here${
                words && ' that has these words'}.</p>`}</div>`;
    }}<//>
    <${Pager} pages=${pages}/>`;
}
