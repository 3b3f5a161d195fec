/** app: the frame around all pages, and the door to it. */
import {get} from './api.mjs';
import {Chain} from './chain.mjs';
import {Chains} from './chains.mjs';
import {KEYS} from './keyboard.mjs';
import {Metrics} from './metrics.mjs';
import {Trouble} from './parts.mjs';
import {to, useRoute} from './route.mjs';
import {forgetKey, key, setKey} from './session.mjs';
import {nextTheme, theme} from './theme.mjs';
import {html, useEffect, useErrorBoundary, useRef, useState} from './ui.mjs';

/** Ask for the key, and whether it is the node's. */
function Login({enter}) {
    const [text, setText] = useState('');
    const [problem, setProblem] = useState(null);
    const submit = async (event) => {
        event.preventDefault();
        setKey(text.trim());
        try {
            await get('/v1');
            enter();
        } catch (error) {
            forgetKey();
            setProblem(error);
        }
    };
    return html`<main class="login"><h1>ate</h1>
        <form onSubmit=${submit}>
            <label for="key">Bearer key</label>
            <input id="key" type="password" autocomplete="off" required
                spellcheck="false" value=${text} autofocus
                onInput=${(event) => setText(event.target.value)}/>
            <p class="quiet"><code>ate key bearer</code> prints it, where the
                node runs; <code>ate console</code> prints a link with it. It
                is kept until this tab is closed.</p>
            <button class="main">Enter</button>
            ${problem && html`<${Trouble} problem=${problem}/>`}
        </form></main>`;
}

function Help({dialog}) {
    return html`<dialog ref=${dialog} aria-label="Keys">
        <h2>Keys</h2>
        <dl class="facts">${KEYS.map(([keys, what]) =>
            html`<dt><kbd>${keys}</kbd></dt><dd>${what}</dd>`)}</dl>
        <form method="dialog"><button>Close</button></form>
    </dialog>`;
}

function Top({leave}) {
    const [now, setNow] = useState(theme());
    const dialog = useRef(null);
    return html`<header class="top">
        <a class="brand" href="#/">ate</a>
        <nav aria-label="Node"><a href="#/">Chains</a>
            <a href=${to(['metrics'])}>Metrics</a></nav>
        <div class="tools">
            <button onClick=${() => setNow(nextTheme())}
                aria-label=${`Theme: ${now}`} title=${`Theme: ${now}`}>${
                {system: '◐', light: '☀', dark: '☾'}[now]}</button>
            <button data-help aria-label="Keys" title="Keys ( ? )"
                onClick=${() => dialog.current.showModal()}>?</button>
            <button onClick=${leave}>Leave</button>
        </div>
        <${Help} dialog=${dialog}/>
    </header>`;
}

/** A page that fails says so, and the frame stays. */
function Page({route}) {
    const [error, forget] = useErrorBoundary();
    const place = route.parts.join('/');
    useEffect(() => forget(), [place]);
    if (error !== undefined) {
        return html`<${Trouble} problem=${{title: 'This page failed',
            message: error.message}} again=${forget}/>`;
    }
    return html`<${Body} route=${route}/>`;
}

function Body({route}) {
    const [kind, name, tab, ...rest] = route.parts;
    if (kind === 'chain' && name !== undefined) {
        return html`<${Chain} key=${name} name=${name} tab=${tab ?? 'overview'}
            rest=${rest} search=${route.search}/>`;
    }
    if (kind === 'metrics')
        return html`<${Metrics}/>`;
    return html`<${Chains}/>`;
}

/** A page of another name begins at its top, for who reads and who listens. */
function useTitle(route) {
    const place = route.parts.join(' / ');
    useEffect(() => {
        document.title = place ? `${place} · ate` : 'ate';
    }, [place]);
}

export function App() {
    const [isIn, setIn] = useState(key() !== null);
    const route = useRoute();
    useTitle(route);
    if (!isIn)
        return html`<${Login} enter=${() => setIn(true)}/>`;
    const leave = () => {
        forgetKey();
        setIn(false);
    };
    return html`<a class="skip" href="#content" onClick=${(event) => {
        event.preventDefault();
        document.getElementById('content').focus();
    }}>To the content</a>
        <${Top} leave=${leave}/>
        <main id="content" tabindex="-1"><${Page} route=${route}/></main>`;
}
