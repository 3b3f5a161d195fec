/** chain: one chain, and its tabs. */
import {path} from './api.mjs';
import {Events} from './events.mjs';
import {bytes, count, time} from './format.mjs';
import {Loaded, useGet} from './loading.mjs';
import {Methods} from './methods.mjs';
import {Copy, Facts} from './parts.mjs';
import {to} from './route.mjs';
import {Source} from './source.mjs';
import {Tail} from './tail.mjs';
import {Types} from './types.mjs';
import {html, useEffect, useRef} from './ui.mjs';
import {Verify} from './verify.mjs';
import {Views} from './views.mjs';

function Overview({name}) {
    const info = useGet(path(name));
    return html`<${Loaded} of=${info}>${(chain) => html`<${Facts} facts=${[
        ['state', chain.state],
        ['schema', `${chain.schema} ${chain.version}`],
        ['transactions', count(chain.size)],
        ['log time', time(chain.time)],
        ['header file', bytes(chain.head_bytes)],
        ['bodies', `${bytes(chain.body_bytes)}, ${chain.bodies}`],
        ['acceptance', chain.accept.join(', ')],
        ['root keys', `${chain.threshold} of ${chain.roots.length}: ${
            chain.roots.join(', ')}`],
        ['order key', `${chain.order}, term ${chain.term}`],
        ['id', chain.id],
        ['root of the log', chain.root],
        ['bundle', chain.bundle],
        ['waits to be activated', chain.next_bundle],
        ['fold failures', chain.fold_failures],
        ['key of its notes', html`<${Copy} text=${chain.vkey}/>`],
    ]}/>`}<//>`;
}

const TABS = {
    overview: ['Overview', Overview],
    events: ['Events', Events],
    tail: ['Live', Tail],
    methods: ['Methods', Methods],
    types: ['Types', Types],
    views: ['Views', Views],
    source: ['Source', Source],
    verify: ['Verify', Verify],
};

/** Where not all tabs fit, that of the page is in sight. */
function useTabInSight(tab) {
    const tabs = useRef(null);
    useEffect(() => {
        const on = tabs.current.querySelector('[aria-current]');
        if (on !== null)
            tabs.current.scrollLeft = on.offsetLeft - tabs.current.offsetLeft -
                (tabs.current.clientWidth - on.offsetWidth) / 2;
    }, [tab]);
    return tabs;
}

export function Chain({name, tab, rest, search}) {
    const tabs = useTabInSight(tab);
    const [, Body] = TABS[tab] ?? TABS.overview;
    return html`<h1><a class="quiet" href="#/">Chains</a> / ${name}</h1>
        <nav class="tabs" aria-label="Of this chain" data-tabs
            ref=${tabs}>${
            Object.entries(TABS).map(([id, [title]]) => html`<a
                href=${to(['chain', name, id])}
                aria-current=${id === tab ? 'page' : null}>${title}</a>`)}
        </nav>
        <${Body} name=${name} rest=${rest} search=${search}/>`;
}
