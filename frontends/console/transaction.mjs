/** transaction: one of the log, with its events' fields and bodies. */
import {path} from './api.mjs';
import {brief, shown, time} from './format.mjs';
import {useGet} from './loading.mjs';
import {Copy, Facts} from './parts.mjs';
import {to} from './route.mjs';
import {html, useState} from './ui.mjs';

const isOwn = (type) => type.startsWith('ate.');

/** The log tells fields; what a body holds stands with the version that this
 * event is: in the history of an object, or with the fact. */
const addressOf = (chain, {type, id, change}) => change === undefined
    ? path(chain, 'types', type, id)
    : `${path(chain, 'history', type, id)}?limit=1000`;

const isOfBody = (event) => ([name]) => name !== '_' && name !== 'id' &&
    !(name in (event.fields ?? {}));

function Body({chain, event}) {
    const {value, problem} = useGet(addressOf(chain, event));
    const version = value?.items === undefined ? value
        : value.items.find((one) => one._?.at === event.at);
    if (problem !== undefined || value !== undefined && version === undefined)
        return html`<p class="quiet">Its body cannot be told here${
            problem && `: ${problem.message}`}.</p>`;
    return html`<${Facts} facts=${Object.entries(version ?? {})
        .filter(isOfBody(event))}/>`;
}

export function Event({chain, event}) {
    const hasMore = !isOwn(event.type) && event.id !== undefined;
    return html`<section class="event">
        <h3><code>${event.type}</code> ${event.id !== undefined && (hasMore
            ? html`<a href=${to(['chain', chain, 'types', event.type,
                event.id])}>${brief(event.id)}</a>` : brief(event.id))}
            ${' '}<span class="quiet">${event.change ?? ''} ${event.at}</span>
        </h3>
        <${Facts} facts=${Object.entries(event.fields ?? {})}/>
        ${hasMore && html`<${Body} chain=${chain} event=${event}/>`}
    </section>`;
}

const summaryOf = (tx) => tx.method ?? tx.events?.[0]?.type ?? 'genesis';

/** What people wrote, not what the engine keeps for itself. */
const hintOf = (events) => events.filter(({type}) => !isOwn(type))
    .map((event) => Object.values(event.fields ?? {}).map(shown).join(' '))
    .join(' · ');

/** One line that opens. */
export function Transaction({chain, tx}) {
    const [isOpen, setOpen] = useState(false);
    const events = tx.events ?? [];
    return html`<details class="transaction" onToggle=${(toggled) =>
        toggled.target === toggled.currentTarget &&
            setOpen(toggled.currentTarget.open)}>
        <summary><span class="index">${tx.index}</span>
            <span class="what">${summaryOf(tx)}</span>
            <span class="who">${shown(tx.author)}</span>
            <span class="hint">${hintOf(events)}</span>
            <time>${time(tx.time)}</time></summary>
        ${isOpen && html`${events.map((event) => html`<${Event} chain=${chain}
            event=${event}/>`)}
        <${Facts} facts=${[
            ['transaction', tx.tx && html`<${Copy} text=${tx.tx}/>`],
            ['call', tx.call && html`<${Copy} text=${tx.call}/>`],
            ...Object.entries(tx).filter(([name]) => !['index', 'events',
                'method', 'tx', 'call', 'time'].includes(name)),
        ].map(([name, value]) => [name, value ?? undefined])}/>`}
    </details>`;
}
