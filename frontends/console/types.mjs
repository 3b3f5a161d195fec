/** types: what is stored, its objects, one of them with its versions. */
import {path, query} from './api.mjs';
import {hint} from './fields.mjs';
import {shown, time} from './format.mjs';
import {Loaded, Pager, useGet, usePages} from './loading.mjs';
import {Facts, Filter, Table, Value, matches} from './parts.mjs';
import {to} from './route.mjs';
import {html, useState} from './ui.mjs';

const LIMIT = 50;
const isLink = (field) => field.kind === 'ref';

function Cell({chain, field, value}) {
    if (value === undefined || value === null)
        return html`<td class="quiet">—</td>`;
    if (isLink(field))
        return html`<td><a href=${to(['chain', chain, 'types', field.target,
            value])}>${value}</a></td>`;
    const isNumber = ['amount', 'integer'].includes(field.kind);
    return html`<td class=${isNumber ? 'number' : ''}>${shown(value)
        .slice(0, 120)}</td>`;
}

function Objects({name, type}) {
    const [words, setWords] = useState('');
    const pages = usePages((cursor) => path(name, 'types', type.name) +
        query({limit: LIMIT, cursor}));
    const fields = type.header;
    return html`<h2>${type.name} <span class="quiet">${type.kind}</span></h2>
        <p>${type.doc}</p>
        <${Filter} value=${words} set=${setWords} label="Filter this page"/>
        <${Loaded} of=${pages}>${({items}) => html`<${Table} label=${type.name}
            head=${html`<th>id</th>${fields.map((field) =>
                html`<th title=${hint(field)}>${field.name}</th>`)}
                <th>by</th><th>time</th>`}>
            ${items.filter((item) => matches(item, words)).map((item) =>
                html`<tr key=${item.id}><th scope="row"><a href=${to(['chain',
                    name, 'types', type.name, item.id])}>${item.id}</a></th>
                    ${fields.map((field) => html`<${Cell} chain=${name}
                        field=${field} value=${item[field.name]}/>`)}
                    <td>${shown(item._?.author)}</td>
                    <td>${time(item._?.time)}</td></tr>`)}
            ${items.length === 0 && html`<tr><td colspan=${fields.length + 3}
                class="empty">There is none yet.</td></tr>`}<//>`}<//>
        <${Pager} pages=${pages}/>`;
}

const factsOf = (object) => Object.entries(object)
    .filter(([field]) => field !== '_' && field !== 'id');

function Version({version, before}) {
    const changed = (field) => before !== undefined &&
        JSON.stringify(before[field]) !== JSON.stringify(version[field]);
    return html`<li><p><strong>${version._?.change ?? ''}</strong>
        ${' '}${version._?.at} by ${shown(version._?.author)}
        ${' '}<span class="quiet">${time(version._?.time)}</span></p>
        <dl class="facts">${factsOf(version).map(([field, value]) =>
            html`<dt>${field}</dt><dd class=${changed(field) ? 'changed'
                : ''}><${Value} value=${value}/></dd>`)}</dl></li>`;
}

function History({name, type, id}) {
    const history = useGet(`${path(name, 'history', type, id)}?limit=100`);
    return html`<h3>History</h3><${Loaded} of=${history}>${({items, more}) =>
        html`<ol class="history">${items.map((version, i) =>
            html`<${Version} version=${version} before=${items[i + 1]}/>`)}
        </ol>${more && html`<p class="quiet">The newest 100.</p>`}`}<//>`;
}

function Thing({name, type, id}) {
    const object = useGet(path(name, 'types', type.name, id));
    return html`<h2><a href=${to(['chain', name, 'types', type.name])}>${
        type.name}</a> ${id}</h2>
        <${Loaded} of=${object}>${(value) => html`<${Facts} facts=${[
            ...factsOf(value), ['version', value._ &&
                html`<a href=${to(['chain', name, 'events'],
                    {from: value._.at.split('.')[0]})}>${value._.at}</a>`],
            ['by', value._?.author], ['time', time(value._?.time)]]}/>`}<//>
        ${type.kind === 'object' && !type.off.includes('history') &&
            html`<${History} name=${name} type=${type.name} id=${id}/>`}`;
}

function Declared({name, items}) {
    return html`<ul class="cards">${items.map((type) => html`<li><a
        href=${to(['chain', name, 'types', type.name])}><strong>${type.name
    }</strong> <span class="quiet">${type.kind}</span></a>
        <p>${type.doc}</p>
        <p class="quiet">${[...type.header, ...Array.isArray(type.body)
            ? type.body : []].map((field) => html`<code title=${
            hint(field)}>${field.name}</code> `)}</p></li>`)}</ul>`;
}

export function Types({name, rest}) {
    const types = useGet(path(name, 'types'));
    return html`<${Loaded} of=${types}>${({items}) => {
        const type = items.find((one) => one.name === rest[0]);
        if (type === undefined)
            return html`<${Declared} name=${name} items=${items}/>`;
        return rest.length > 1
            ? html`<${Thing} name=${name} type=${type} id=${rest[1]}/>`
            : html`<${Objects} key=${type.name} name=${name} type=${type}/>`;
    }}<//>`;
}
