/** fields: inputs for the values that a schema declares, and back.
 *
 * What is typed is kept as text; `taken` makes of it what the door takes, or
 * leaves it out. The engine judges: here is only what helps while typing. */
import {get, path} from './api.mjs';
import {html, useEffect, useState} from './ui.mjs';

const isJson = (field) => ['list', 'struct', 'page'].includes(field.kind);

/** What a field may be, in words. */
export function hint(field) {
    const parts = [field.kind === 'ref' ? `the key of one of: ${field.target}`
        : field.kind];
    if (field.kind === 'amount' && field.scale > 0)
        parts.push(`${field.scale} decimals`);
    if (field.kind === 'identity')
        parts.push('the name of a key, or its id');
    if (field.min !== undefined && field.kind === 'integer')
        parts.push(`from ${field.min}`);
    if (field.max !== undefined && field.kind === 'integer')
        parts.push(`to ${field.max}`);
    if (isJson(field))
        parts.push('as JSON');
    if (field.optional || field.default !== undefined)
        parts.push('optional');
    return parts.join(', ');
}

const isNeeded = (field) => !field.optional && field.default === undefined &&
    field.kind !== 'boolean';

/** The keys that a ref may name, as suggestions. */
function useKeys(chain, field) {
    const [keys, setKeys] = useState([]);
    const target = field.kind === 'ref' ? field.target : undefined;
    useEffect(() => {
        if (target === undefined)
            return undefined;
        const stop = new AbortController();
        get(`${path(chain, 'types', target)}?limit=200`, stop.signal)
            .then(({items}) => setKeys(items.map((item) => item.id)))
            .catch(() => {}); // they only help
        return () => stop.abort();
    }, [chain, target]);
    return keys;
}

async function readFile(file) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    let text = '';
    for (const byte of bytes)
        text += String.fromCharCode(byte);
    return btoa(text);
}

function Words({field, id, value, set}) {
    return html`<select id=${id} value=${value} required=${isNeeded(field)}
        onChange=${(event) => set(event.target.value)}>
        <option value="">—</option>
        ${field.words.map((word) => html`<option value=${word}
            >${word}</option>`)}</select>`;
}

function One({field, id, value, set, keys}) {
    const common = {id, name: field.name, value, required: isNeeded(field),
        'aria-describedby': `${id}-hint`, autocomplete: 'off',
        spellcheck: false, onInput: (event) => set(event.target.value)};
    if (field.kind === 'integer')
        return html`<input type="number" step="1" ...${common}
            min=${field.min} max=${field.max}/>`;
    if (field.kind === 'date' || field.kind === 'month')
        return html`<input type=${field.kind} ...${common}/>`;
    if (field.kind === 'blob')
        return html`<input type="file" ...${{...common, value: undefined}}
            onInput=${async (event) => set(event.target.files.length > 0
                ? await readFile(event.target.files[0]) : '')}/>`;
    if (isJson(field) || field.kind === 'text' && !(field.max <= 200))
        return html`<textarea rows="3" ...${common}></textarea>`;
    return html`<input type="text" ...${common} list=${keys.length > 0
        ? `${id}-keys` : undefined}
        inputmode=${field.kind === 'amount' ? 'decimal' : undefined}/>
        ${keys.length > 0 && html`<datalist id=${`${id}-keys`}>${keys.map(
            (key) => html`<option value=${key}></option>`)}</datalist>`}`;
}

/** A label, an input, a hint. */
export function Input({chain, field, prefix, value, set, error}) {
    const id = `${prefix}-${field.name}`;
    const keys = useKeys(chain, field);
    const control = field.kind === 'boolean'
        ? html`<input type="checkbox" id=${id} checked=${value === 'true'}
            onChange=${(event) => set(String(event.target.checked))}/>`
        : field.kind === 'enum'
            ? html`<${Words} field=${field} id=${id} value=${value}
                set=${set}/>`
            : html`<${One} field=${field} id=${id} value=${value} set=${set}
                keys=${keys}/>`;
    return html`<div class=${`field ${error ? 'wrong' : ''}`}>
        <label for=${id}>${field.name}</label>${control}
        <p class="quiet" id=${`${id}-hint`}>${error || field.doc ||
            hint(field)}</p></div>`;
}

/** The value that the door takes; undefined: left out. */
function taken(field, text) {
    if (text === undefined || text === '')
        return field.kind === 'boolean' && isNeeded(field) ? false : undefined;
    if (field.kind === 'boolean')
        return text === 'true';
    if (field.kind === 'integer')
        return Number(text);
    return isJson(field) ? JSON.parse(text) : text;
}

/** Arguments of all texts. Throws {field} where one is no JSON. */
export function argumentsOf(fields, texts) {
    const values = {};
    for (const field of fields) {
        try {
            const value = taken(field, texts[field.name]);
            if (value !== undefined || !field.optional &&
                    field.kind === 'boolean' && field.default === undefined)
                values[field.name] = value ?? false;
        } catch (error) {
            throw Object.assign(new Error(`${field.name}: ${error.message}`),
                {errors: [{pointer: `/${field.name}`, detail: error.message}],
                    title: 'That is no JSON'});
        }
    }
    return values;
}
