/** walk: a headless browser goes through the console as a person would.
 *
 *     walk.mjs PLAYWRIGHT CHROMIUM LINK SHOTS WIDTH SCHEME
 *
 * LINK is what `ate console` printed. Anything that the browser complains of
 * (an error, a refused load, a request elsewhere, a layout wider than the
 * window) ends the walk with a failure. Other processes write, so `grow` is a
 * file: when it appears, somebody calls. */
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';

const [playwright, chromium, link, shots, width, scheme] =
    process.argv.slice(2);
const {chromium: browsers} = createRequire(join(playwright, 'package.json'))(
    'playwright-core');
const WAIT_MS = 30000;

const browser = await browsers.launch({executablePath: chromium,
    args: ['--no-sandbox', '--disable-dev-shm-usage']});
const context = await browser.newContext({colorScheme: scheme,
    viewport: {width: Number(width), height: 800}});
const page = await context.newPage();
page.setDefaultTimeout(WAIT_MS);

/* ---- what it must not complain of ---- */

const complaints = [];
const expected = []; // statuses of refusals that the walk asks for
page.on('console', (message) => {
    const refused = /status of (\d+)/.exec(message.text());
    if (refused !== null && expected.includes(Number(refused[1])))
        return;
    if (['error', 'warning'].includes(message.type()))
        complaints.push(`console: ${message.text()}`);
});
page.on('pageerror', (error) => complaints.push(`error: ${error.stack}`));
page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== new URL(link).origin)
        complaints.push(`a request elsewhere: ${url}`);
    if (url.href.includes('ate_'))
        complaints.push('the key stands in an address');
});
await page.addInitScript(() => {
    window.violations = [];
    window.shifts = 0;
    addEventListener('securitypolicyviolation', (event) =>
        window.violations.push(`${event.violatedDirective} ${
            event.blockedURI}`));
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries())
            if (!entry.hadRecentInput)
                window.shifts += entry.value;
    }).observe({type: 'layout-shift', buffered: true});
});

async function look(name) {
    await page.screenshot({path: join(shots,
        `${name}-${width}-${scheme}.png`), fullPage: true});
    const wide = await page.evaluate(() =>
        document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${name}: ${wide} pixels wider than the window`);
    assert.deepEqual(await page.evaluate(() => window.violations), []);
    assert.doesNotMatch(await page.locator('body').innerText(),
        /undefined|NaN|\[object|__k/, name);
    assert.deepEqual(complaints, [], name);
}

const text = (words) => page.getByText(words).first().waitFor();
const tab = (name) => page.getByLabel('Of this chain')
    .getByRole('link', {name, exact: true}).click();

/* ---- the walk ---- */

async function enter() {
    await page.goto(link.replace(/#.*/, ''));
    await page.getByLabel('Bearer key').fill('ate_wrong');
    expected.push(401);
    await page.getByRole('button', {name: 'Enter'}).click();
    await page.getByRole('alert').waitFor();
    await look('login');
    expected.pop();
    await page.goto('about:blank');
    await page.goto(link);
    await page.getByRole('heading', {name: 'Chains'}).waitFor();
    assert.ok(!page.url().includes('key'), `the key stayed: ${page.url()}`);
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    await page.getByRole('link', {name: 'bank', exact: true}).waitFor();
    await look('chains');
}

async function chain() {
    await page.getByRole('link', {name: 'bank', exact: true}).click();
    await text('root of the log');
    await look('overview');
    await tab('Events');
    await page.locator('.transaction summary').nth(2).click();
    await text('alice');
    await look('events');
    await page.keyboard.press('Escape');
    await page.locator('h1').click();
    await page.keyboard.press('/');
    await page.keyboard.type('bob');
    await page.locator('.transaction').nth(1).waitFor({state: 'detached'});
    await page.keyboard.press('Escape');
}

async function call(amount) {
    await page.getByLabel('from', {exact: true}).first().fill('alice');
    await page.getByLabel('to', {exact: true}).first().fill('bob');
    await page.getByLabel('amount', {exact: true}).first().fill(amount);
    await page.getByRole('button', {name: 'Call', exact: true}).first()
        .click();
}

async function methods() {
    await tab('Methods');
    await page.locator('.method summary').first().click();
    await call('12.50');
    await page.locator('.answer.good').waitFor();
    await text('receipt');
    await look('method');
    expected.push(422);
    await call('500');
    await text('alice would hold -512.50');
    await look('refusal');
    expected.pop();
}

async function live() {
    await tab('Live');
    await text('live: new transactions');
    const before = await page.locator('.transaction').count();
    writeFileSync(join(shots, `grow-${width}-${scheme}`), '');
    await page.locator('.transaction').nth(before).waitFor();
    await text('transfer');
    await look('live');
}

async function types() {
    await tab('Types');
    await text('What one neighbour owns');
    await look('types');
    await page.getByRole('link', {name: /^account/}).first().click();
    await page.getByRole('link', {name: 'alice', exact: true}).click();
    await text('History');
    await page.locator('.history li').first().waitFor();
    await look('object');
    await page.goto(new URL('#/chain/notes/events', link).href);
    await page.locator('.transaction summary').last().click();
    await text('a long text');
    await look('body');
}

async function views() {
    await page.goto(new URL('#/chain/bank', link).href);
    await tab('Views');
    await page.getByRole('button', {name: /amount/}).click();
    await page.locator('th[aria-sort=ascending]').waitFor();
    await page.getByRole('row').nth(2).waitFor();
    const first = await page.getByRole('row').nth(1).innerText();
    assert.ok(first.includes('alice'), first);
    await look('view');
}

async function source() {
    await tab('Source');
    await text('which root keys sign');
    await look('modules');
    await page.getByRole('link', {name: /^bank/}).click();
    await text('Neighbours who owe each other');
    await look('source');
}

async function plot() {
    await page.goto(new URL('#/chain/sales/views/daily', link).href);
    await page.locator('.plot polyline').nth(1).waitFor();
    await look('plot');
}

async function verify() {
    await page.goto(new URL('#/chain/bank/verify', link).href);
    await page.getByRole('button', {name: 'Verify here'}).click();
    await page.getByRole('heading', {name: 'All as recorded'}).waitFor();
    await look('verify');
    await page.goto(new URL('#/chain/damaged/verify', link).href);
    await page.getByRole('button', {name: 'Verify here'}).click();
    await page.getByRole('heading', {name: 'Not as recorded'}).waitFor();
    await look('differs');
}

async function metrics() {
    await page.getByRole('link', {name: 'Metrics'}).click();
    await text('ate_rest_requests_total');
    await look('metrics');
    await page.getByRole('heading', {name: 'Metrics'}).click();
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await look('keys');
    await page.keyboard.press('Escape');
    await page.getByRole('button', {name: /^Theme/}).click();
    assert.equal(await page.evaluate(() =>
        document.documentElement.dataset.theme), 'light');
}

/** All of it can be reached by Tab, and is then seen. */
async function keyboard() {
    await page.goto(new URL('#/', link).href);
    await page.getByRole('link', {name: 'bank', exact: true}).waitFor();
    await page.reload();
    await page.getByRole('link', {name: 'bank', exact: true}).waitFor();
    for (let i = 0; i < 20; i++) {
        await page.keyboard.press('Tab');
        const seen = await page.evaluate(() => {
            const {outlineStyle, outlineWidth} =
                getComputedStyle(document.activeElement);
            return [document.activeElement.textContent, outlineStyle !==
                'none' && outlineWidth !== '0px'];
        });
        assert.ok(seen[1], `the focus on '${seen[0]}' is not seen`);
        if (seen[0] === 'bank')
            return;
    }
    assert.fail('Tab does not come to the chain');
}

async function leave() {
    const shifts = await page.evaluate(() => window.shifts);
    assert.ok(shifts < 0.1, `the layout shifts: ${shifts}`);
    await page.getByRole('button', {name: 'Leave'}).click();
    await page.getByLabel('Bearer key').waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
}

try {
    await enter();
    await chain();
    await methods();
    await live();
    await types();
    await views();
    await source();
    await plot();
    await verify();
    await metrics();
    await keyboard();
    await leave();
    assert.deepEqual(complaints, []);
    console.log('walked');
} catch (error) {
    await page.screenshot({path: join(shots, `failed-${width}-${scheme}.png`)})
        .catch(() => {});
    console.error(error.stack, complaints);
    process.exitCode = 1;
} finally {
    await browser.close();
}
