/** source: the Lua that the chain keeps, as it was published. */
import {path} from './api.mjs';
import {count} from './format.mjs';
import {Loaded, useGet} from './loading.mjs';
import {Facts} from './parts.mjs';
import {to} from './route.mjs';
import {html} from './ui.mjs';

function Module({name, module}) {
    const found = useGet(path(name, 'source', module));
    return html`<h2><a href=${to(['chain', name, 'source'])}>Source</a>
        ${' '}${module}</h2>
        <${Loaded} of=${found}>${(one) => html`<${Facts} facts=${[
            ['file', one.file],
            ['bytes', count(one.bytes)],
            ['SHA-256', one.sha256],
        ]}/><pre class="json source" tabindex="0">${one.source}</pre>`}<//>`;
}

function Modules({name}) {
    const found = useGet(path(name, 'source'));
    return html`<${Loaded} of=${found}>${(all) => html`<${Facts} facts=${[
            ['schema', `${all.schema} ${all.version}`],
            ['bundle, which root keys sign', all.bundle],
        ]}/>
        <ul class="cards">${all.modules.map((one) => html`<li><a
            href=${to(['chain', name, 'source', one.name])}><strong>${one.name
        }</strong> <span class="quiet">${one.standard ? 'standard'
            : one.name === all.main ? 'main' : ''}</span></a>
            <p class="quiet">${one.file}, ${count(one.bytes)} bytes</p></li>`)}
        </ul>`}<//>`;
}

export function Source({name, rest}) {
    return rest.length > 0
        ? html`<${Module} key=${rest[0]} name=${name} module=${rest[0]}/>`
        : html`<${Modules} name=${name}/>`;
}
