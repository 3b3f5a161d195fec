/** views: tables that are folded from the log, sorted as one likes, and drawn
 * where they have numbers over time. */
import {path, query} from './api.mjs';
import {number, shown} from './format.mjs';
import {hint} from './fields.mjs';
import {Loaded, Pager, useGet, usePages} from './loading.mjs';
import {Filter, Table, matches} from './parts.mjs';
import {Plot, timesOf} from './plot.mjs';
import {to} from './route.mjs';
import {html, useState} from './ui.mjs';

const LIMIT = 200;
const isNumber = (column) => ['amount', 'integer'].includes(column.kind);

function compare(column, a, b) {
    const [x, y] = [a[column.name], b[column.name]];
    if (isNumber(column))
        return (number(x) || 0) - (number(y) || 0);
    return shown(x) < shown(y) ? -1 : shown(x) > shown(y) ? 1 : 0;
}

function sortedBy(rows, columns, {name, isDown}) {
    const column = columns.find((one) => one.name === name);
    if (column === undefined)
        return rows;
    return [...rows].sort((a, b) => compare(column, a, b) * (isDown ? -1 : 1));
}

/** None, up, down, none: as the view has it. */
const nextSort = (sort, name) => sort.name !== name ? {name, isDown: false}
    : sort.isDown ? {} : {name, isDown: true};

function Head({column, sort, setSort}) {
    const is = sort.name !== column.name ? 'none'
        : sort.isDown ? 'descending' : 'ascending';
    return html`<th class=${isNumber(column) ? 'number' : ''} aria-sort=${is}
        title=${hint(column)}><button
            onClick=${() => setSort(nextSort(sort, column.name))}>${column.name
            } <span aria-hidden="true">${{none: '↕', ascending: '↑',
            descending: '↓'}[is]}</span></button></th>`;
}

function Cell({chain, column, value}) {
    const text = shown(value);
    return html`<td class=${isNumber(column) ? 'number' : ''}>${
        column.kind === 'ref' && text !== '' ? html`<a href=${to(['chain',
            chain, 'types', column.target, text])}>${text}</a>` : text}</td>`;
}

const keyFirst = ({columns, key}) => [
    ...key.map((name) => columns.find((column) => column.name === name)),
    ...columns.filter((column) => !key.includes(column.name))];

function View({name, view}) {
    const [words, setWords] = useState('');
    const [sort, setSort] = useState({});
    const pages = usePages((cursor) => path(name, 'views', view.name) +
        query({limit: LIMIT, cursor}));
    const columns = keyFirst(view);
    return html`<h2>${view.name}</h2><p>${view.doc}</p>
        <${Filter} value=${words} set=${setWords} label="Filter this page"/>
        <${Loaded} of=${pages}>${({items}) => {
            const rows = items.filter((row) => matches(row, words));
            return html`${timesOf(columns).length > 0 &&
                html`<${Plot} columns=${columns} rows=${rows}/>`}
            <${Table} label=${view.name} head=${columns.map((column) =>
                html`<${Head} column=${column} sort=${sort}
                    setSort=${setSort}/>`)}>
            ${sortedBy(rows, columns, sort).map((row) => html`<tr>${
                columns.map((column) => html`<${Cell} chain=${name}
                    column=${column} value=${row[column.name]}/>`)}</tr>`)}
            ${rows.length === 0 && html`<tr><td colspan=${columns.length}
                class="empty">There is no row yet.</td></tr>`}<//>`;
        }}<//>
        <${Pager} pages=${pages}/>`;
}

export function Views({name, rest}) {
    const views = useGet(path(name, 'views'));
    return html`<${Loaded} of=${views}>${({items}) => {
        const view = items.find((one) => one.name === rest[0]) ??
            (items.length === 1 ? items[0] : undefined);
        if (view !== undefined)
            return html`<${View} key=${view.name} name=${name} view=${view}/>`;
        if (items.length === 0)
            return html`<p class="empty">The schema has no views.</p>`;
        return html`<ul class="cards">${items.map((one) => html`<li><a
            href=${to(['chain', name, 'views', one.name])}><strong>${one.name
            }</strong></a><p>${one.doc}</p></li>`)}</ul>`;
    }}<//>`;
}
