/** main: who looks, and at which page. */
import {takeKeyFromAddress} from './session.mjs';
takeKeyFromAddress(); // before anything else happens

import {App} from './app.mjs';
import {listenToKeys} from './keyboard.mjs';
import {applyTheme} from './theme.mjs';
import {html, render} from './ui.mjs';

applyTheme();
listenToKeys();
render(html`<${App}/>`, document.getElementById('app'));
