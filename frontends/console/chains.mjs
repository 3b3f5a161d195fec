/** chains: all that this node has. */
import {count} from './format.mjs';
import {Loaded, useGet} from './loading.mjs';
import {Copy, Filter, Table, matches} from './parts.mjs';
import {to} from './route.mjs';
import {html, useState} from './ui.mjs';

function Row({chain}) {
    return html`<tr><th scope="row"><a href=${to(['chain', chain.name])}>${
        chain.name}</a></th>
        <td title=${chain.error}><span class=${`state ${chain.state}`}>${
    chain.state}</span></td>
        <td class="number">${count(chain.size)}</td>
        <td>${chain.schema ?? '—'} ${chain.version ?? ''}</td>
        <td><${Copy} text=${chain.id}/></td></tr>`;
}

export function Chains() {
    const chains = useGet('/v1');
    const [words, setWords] = useState('');
    return html`<h1>Chains</h1>
        <${Filter} value=${words} set=${setWords} label="Filter chains"/>
        <${Loaded} of=${chains}>${({items}) => items.length === 0
            ? html`<p class="empty">There is no chain yet. <code>ate chain
                create NAME --schema FILE</code> makes one.</p>`
            : html`<${Table} label="Chains" head=${html`<th>name</th>
                <th>state</th><th class="number">size</th>
                <th>schema</th><th>id</th>`}>
                ${items.filter((chain) => matches(chain, words)).map((chain) =>
                    html`<${Row} key=${chain.id} chain=${chain}/>`)}<//>`}<//>`;
}
