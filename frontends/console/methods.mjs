/** methods: forms made from what a schema says of its methods. */
import {path, post} from './api.mjs';
import {Input, argumentsOf} from './fields.mjs';
import {Loaded, useGet} from './loading.mjs';
import {Copy, Facts, Filter, Trouble, Value, matches} from './parts.mjs';
import {to} from './route.mjs';
import {html, useState} from './ui.mjs';

/** 128 bits by chance: a call that is sent twice happens once. */
function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
        .join('');
}

function Answer({chain, method, answer}) {
    if (method.mode === 'read')
        return html`<section class="answer" role="status"><h3>Result</h3>
            <${Value} value=${answer}/></section>`;
    return html`<section class="answer good" role="status">
        <h3>Done${answer.index !== undefined && html`, transaction${' '}
            <a href=${to(['chain', chain, 'events'], {from: answer.index})}>
            ${answer.index}</a>`}</h3>
        <${Facts} facts=${[
            ['result', answer.result ?? undefined],
            ['tx', answer.tx && html`<${Copy} text=${answer.tx}/>`],
            ['receipt', answer.receipt &&
                html`<${Copy} text=${answer.receipt}/>`],
            ['root', answer.root && html`<${Copy} text=${answer.root}/>`],
            ['gas', answer.gas],
        ]}/></section>`;
}

const fieldError = (problem, name) => problem?.errors?.find((error) =>
    error.pointer === `/${name}` || error.parameter === name)?.detail;

function Form({chain, method}) {
    const [texts, setTexts] = useState({});
    const [context, setContext] = useState({});
    const [state, setState] = useState({id: newId()});
    const setIn = (change) => (name) => (text) => {
        change((before) => ({...before, [name]: text}));
        setState((before) => ({...before, id: newId()})); // another call
    };
    const set = setIn(setTexts);
    const setContextOf = setIn(setContext);
    const call = async (event) => {
        event.preventDefault();
        const {id} = state;
        setState({id, isCalling: true});
        try {
            const answer = await post(path(chain, 'methods', method.name),
                argumentsOf(method.args, texts), id, {as: texts[' as'],
                    context: argumentsOf(method.context ?? [], context)});
            setState({id: newId(), answer});
        } catch (problem) {
            setState({id, problem});
        }
    };
    const {answer, problem, isCalling} = state;
    return html`<form class="call" onSubmit=${call}>
        ${method.args.map((field) => html`<${Input} key=${field.name}
            chain=${chain} field=${field} prefix=${method.name}
            value=${texts[field.name] ?? ''} set=${set(field.name)}
            error=${fieldError(problem, field.name)}/>`)}
        ${(method.context ?? []).map((field) => html`<${Input}
            key=${`context ${field.name}`} chain=${chain} field=${field}
            prefix=${`${method.name}-context`}
            value=${context[field.name] ?? ''}
            set=${setContextOf(field.name)}/>`)}
        ${method.mode !== 'read' && html`<${Input} chain=${chain}
            prefix=${`${method.name}-by`} value=${texts[' as'] ?? ''}
            set=${set(' as')} field=${{name: 'as', kind: 'name',
                optional: true, doc: 'the key that signs; me, if empty'}}/>`}
        <button class="main" disabled=${isCalling}>${method.mode === 'read'
            ? 'Read' : 'Call'}</button>
        ${problem && html`<${Trouble} problem=${problem}/>`}
        ${answer !== undefined && html`<${Answer} chain=${chain}
            method=${method} answer=${answer}/>`}
    </form>`;
}

function Method({chain, method, isOpen}) {
    return html`<details class="method" open=${isOpen}>
        <summary><code>${method.name}</code>
            <span class=${`mode ${method.mode}`}>${method.mode}</span>
            <span class="hint">${method.doc}</span></summary>
        ${method.rest && html`<p class="quiet">Also
            <code> ${method.rest}</code></p>`}
        <${Form} chain=${chain} method=${method}/></details>`;
}

/** Those of the schema's own come first. */
const sorted = (methods) => methods
    .sort((a, b) => a.default - b.default || (a.name < b.name ? -1 : 1));

export function Methods({name, rest}) {
    const methods = useGet(path(name, 'methods'));
    const [words, setWords] = useState('');
    return html`<${Filter} value=${words} set=${setWords}
            label="Filter methods"/>
        <${Loaded} of=${methods}>${({items}) => items.length === 0
            ? html`<p class="empty">The schema has no methods.</p>`
            : sorted([...items]).filter((method) => matches([method.name,
                method.doc], words)).map((method) => html`<${Method}
                key=${method.name} chain=${name} method=${method}
                isOpen=${method.name === rest[0]}/>`)}<//>`;
}
