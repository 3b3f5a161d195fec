/** transaction: one of the log, with its events' fields and bodies. */
import {path} from './api.mjs';
import {brief, shown, time} from './format.mjs';
import {Loaded, useGet} from './loading.mjs';
import {Copy, Facts} from './parts.mjs';
import {to} from './route.mjs';
import {html, useState} from './ui.mjs';

const isOwn = (type) => type.startsWith('ate.');

/** Fields stand in the log; a body is decoded with the object that has it. */
function Body({chain, event}) {
    const whole = useGet(path(chain, 'types', event.type, event.id));
    return html`<${Loaded} of=${whole}>${(object) => html`<${Facts}
        facts=${Object.entries(object).filter(([name]) => name !== '_' &&
            name !== 'id' && !(name in (event.fields ?? {})))}/>
        ${object._?.at !== event.at && html`<p class="quiet">As it is now, of
            ${' '}${object._?.at}; its history has the others.</p>`}`}<//>`;
}

export function Event({chain, event}) {
    const [isOpen, setOpen] = useState(false);
    const hasMore = !isOwn(event.type) && event.id !== undefined;
    return html`<section class="event">
        <h3><code>${event.type}</code> ${event.id !== undefined && (hasMore
            ? html`<a href=${to(['chain', chain, 'types', event.type,
                event.id])}>${brief(event.id)}</a>` : brief(event.id))}
            ${' '}<span class="quiet">${event.change ?? ''} ${event.at}</span>
        </h3>
        <${Facts} facts=${Object.entries(event.fields ?? {})}/>
        ${event.body !== undefined && html`<${Facts} facts=${[
            ['body', event.body]]}/>`}
        ${hasMore && html`<details onToggle=${(toggled) =>
            setOpen(toggled.currentTarget.open)}><summary>Body</summary>
            ${isOpen && html`<${Body} chain=${chain} event=${event}/>`}
        </details>`}
    </section>`;
}

const summaryOf = (tx) => tx.method ?? tx.events?.[0]?.type ?? 'genesis';

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
            <span class="hint">${events.map((event) =>
                Object.values(event.fields ?? {}).map(shown).join(' '))
                .join(' · ')}</span>
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
